"""The service as an ASGI application, and the gunicorn worker that runs it.

A single plain `POST /predict` is answered on the event loop, everything else by the Flask
application in a bounded pool of threads. No OpenTelemetry SDK and no business logic in here.
"""
