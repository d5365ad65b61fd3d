"""What the service counts, and how it is told to a Collector and on `/metrics`.

    table ─▶ layout ─▶ slots (shared memory) ◀── recorder ◀── handler
                          │
             sources: this worker's slot │ the sum of all slots
                          ▼                      ▼
                  push (OTLP, quiet)     exposition (/metrics)

Only `providers` imports the SDK's providers; only `recorder` is called while a request is answered.
"""
