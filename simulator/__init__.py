"""Traffic for a scoring service, from outside: HTTP only, nothing of the service is imported.

    model_info ─▶ world, faults, truth ─▶ plan ──┬─▶ open_loop ─▶ sender ─▶ target
    scenarios ────────────────────────────┘      │      ├─▶ label_desk ─▶ feedback ─▶ target
    table ─▶ replay ─────────────────────────────┘      └─▶ tally ─▶ summary

`world` is the default model's documented process (`process`) or what a model tells of its training
(`customers`). The plan is settled by a seed before anything is sent; no answer changes it. Only the
truth about predictions of a model whose process is not known follows from its answers.
"""
