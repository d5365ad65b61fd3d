"""Traffic for a scoring service, from outside: HTTP only, nothing of the service is imported.

    scenarios (what happens, from when to when) ─┐
    model_info ─▶ world, faults, truth ─▶ plan (what is sent and when) ─▶ open_loop ─▶ sender ─▶ target
                  table ─▶ replay ────────┘                                   ├─▶ label_desk ─▶ feedback
                                                                              └─▶ tally ─▶ summary

`world` is the default model's documented process (`process`) or what a model tells of its training
(`customers`). The plan is settled by a seed before anything is sent; no answer changes it. Only the
truth about predictions of a model whose process is not known follows from its answers.
"""
