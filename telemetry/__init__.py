"""What the service counts, and how it is exported to a Collector and shown on `/metrics`.

    metrics ─▶ store/layout ─▶ store/slots (shared memory) ◀── recorder ◀── service
                                     │
             store/sources: this worker's slot │ the sum of all slots
                                     ▼                   ▼
               export/push (OTLP, silent when idle)   export/exposition (/metrics)

`lifecycle` puts the parts together, from the start to the graceful shutdown. Only `providers` makes
the SDK's providers; only `recorder` is called while a request is answered.
"""
