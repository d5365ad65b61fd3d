"""Traffic for a scoring service, from outside: HTTP only, nothing of the service is imported.

    model_info ─▶ customers, faults ─▶ plan (what is sent and when) ─▶ open_loop ─▶ sender ─▶ target
                                                                           └─▶ tally ─▶ summary

The plan is settled by a seed before anything is sent; no answer changes it.
"""
