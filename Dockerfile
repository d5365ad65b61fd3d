# One file for every image of the project, chosen by stage:
#   docker build --target handler|simulator|collector .
# A builder that cannot name a stage (Railway) sets the argument SERVICE instead; without it the
# last stage, and so a plain `docker build .`, is the handler.
# No cache mounts: Railway refuses ones without its own ids. No `# syntax=` line: it would be pulled.
ARG SERVICE=handler
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
ARG GO_IMAGE=golang:1.26.8-bookworm


FROM ${PYTHON_IMAGE} AS python
# The project's own licence; packages keep theirs in /opt/venv, Go modules in /licenses.
LABEL org.opencontainers.image.licenses=MIT
# ONNX Runtime sends usage events to its maker unless they are switched off.
ENV ORT_DISABLE_TELEMETRY=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --no-create-home --home-dir /nonexistent app
WORKDIR /app


# Environments without pip inside: nothing is installed at run time.
FROM python AS serving-packages
COPY requirements.txt ./
RUN python3 -m venv --without-pip /opt/venv \
    && python3 -m pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: -r requirements.txt

FROM python AS simulator-packages
COPY requirements/ops.txt requirements/
RUN python3 -m venv --without-pip /opt/venv \
    && python3 -m pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: -r requirements/ops.txt


# The default model. The same seed gives the same bytes, so every rebuild serves the same version.
FROM python AS model
COPY requirements/train.txt requirements/
RUN python3 -m venv --without-pip /opt/venv \
    && python3 -m pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: -r requirements/train.txt
COPY model/ model/
RUN /opt/venv/bin/python -m model train


FROM python AS handler
COPY --from=serving-packages /opt/venv /opt/venv
COPY LICENSE handler.py gunicorn.conf.py ./
COPY service/ service/
COPY telemetry/ telemetry/
COPY model/__init__.py model/
COPY model/serving/ model/serving/
# Compiled here: the root file system is read-only later, and a start need not compile again.
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app
COPY --from=model /app/models models/
# For RECEIPT_DIR: a named volume takes over the owner of the folder that it is mounted on.
RUN install -d -o app -g app -m 700 /var/lib/fraud-handler
USER app
# PYTHONDONTWRITEBYTECODE: a read-only file system. /tmp is the one place that is written.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=5000
EXPOSE 5000
# A bare socket and -IS take half the CPU that urllib takes; this runs six times a minute.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-ISc", "import os, socket; s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 2); s.sendall(b'GET /health/ready HTTP/1.0\\r\\n\\r\\n'); assert b' 200 ' in s.recv(64)"]
CMD ["gunicorn", "-c", "gunicorn.conf.py", "handler:build()"]


FROM python AS simulator
COPY --from=simulator-packages /opt/venv /opt/venv
COPY LICENSE ./
COPY simulator/ simulator/
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app
USER app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
CMD ["python", "-m", "simulator"]


FROM ${GO_IMAGE} AS collector-build
ENV CGO_ENABLED=0 GOFLAGS=-trimpath
WORKDIR /src/otel-collector/distribution
# The parts come first: minutes, and compiled again only when another version is pinned.
COPY otel-collector/config/go.mod /src/otel-collector/config/go.mod
COPY otel-collector/distribution/go.mod otel-collector/distribution/go.sum otel-collector/distribution/components.go ./
RUN go build -ldflags='-s -w' $(go list -f '{{join .Imports " "}}' components.go) go.opentelemetry.io/collector/otelcol
COPY otel-collector/ /src/otel-collector/
RUN go build -ldflags='-s -w' -o /out/otelcol . && mkdir -p /out/queue
# The licence and notice files of every module that is in the program, as their licences ask.
RUN go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' . | sort -u \
    | while read -r module folder; do \
        for file in "$folder"/LICENSE* "$folder"/NOTICE* "$folder"/COPYING*; do \
          if [ -f "$file" ]; then mkdir -p "/out/licenses/$module" && cp "$file" "/out/licenses/$module/"; fi; \
        done; \
      done \
    && cp "$(go env GOROOT)/LICENSE" /out/licenses/GO-LICENSE

# No shell in it: it is configured by the environment alone.
FROM scratch AS collector
COPY --from=collector-build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=collector-build /out/otelcol /otelcol
COPY --from=collector-build /out/licenses /licenses
COPY LICENSE /licenses/LICENSE
# A named volume takes over the owner of the folder that it is mounted on.
COPY --from=collector-build --chown=10001:10001 /out/queue /var/lib/otelcol
USER 10001:10001
EXPOSE 4318 13133 8888
ENTRYPOINT ["/otelcol"]


FROM ${SERVICE} AS service
