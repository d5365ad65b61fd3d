"""Traffic for a scoring service, from outside: HTTP only, nothing of the service is imported.

    contract       the words shared with the service; what a model says of itself
    transactions   where transactions come from: a documented process, or a model's own training
    traffic        the plan: arrivals, scenarios, invalid requests, delayed labels
    replay         the plan of a table's rows
    target         HTTP: /model_info, /predict, /feedback, through a proxy or not
    report         what came back: counts, progress, summary
    run            the open loop and the delayed labels, under way
    command_line   the options and the environment variables, each checked by itself
    options        a checked command line; simulation: one run, made of all of these

Each folder imports only folders above it. The plan is decided by a seed before anything is sent; no
answer changes it. Only the labels of a model whose process is not known follow from its answers.
"""
