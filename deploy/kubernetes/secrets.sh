#!/bin/sh
# Prints the Secrets that the manifests refer to and that are not there yet, with fresh random values:
#   sh deploy/kubernetes/secrets.sh | kubectl create -f -
# kubectl is asked what is there: none is printed that exists (and `create`, unlike `apply`, would replace none), and one
# that is missing beside others is made so that it fits them. `--all` prints all without asking, for a file that somebody
# keeps. The list of names:
#
#   handler-secrets        ACCESS_TOKEN   opens /feedback, /metrics and /simulate_traffic; the simulator's too
#                          RECEIPT_KEYS   signs receipts
#                          REDIS_URL      used receipts of all replicas; set it to use a Redis of yours
#                          OTLP_TOKEN     what the handler sends to the Collector
#                          FEEDBACK_TOKEN, METRICS_TOKEN, PREDICT_TOKEN   optional, not made here
#   collector-secrets      OTLP_TOKEN     what the Collector takes
#   redis-secrets          REDIS_PASSWORD
#   grafana-secrets        GF_SECURITY_ADMIN_PASSWORD
#
# Not made here: `grafana-cloud-secrets` (overlay grafana-cloud: GRAFANA_CLOUD_…, otel-collector/README.md),
# `cortex-bucket-secrets` (component cortex-bucket) and `alertmanager-secrets` (optional: ALERT_…, docs/alerts.md).
set -eu

say() {
  printf 'secrets.sh: %s\n' "$1" >&2
}

fail() {
  say "$1"
  exit 1
}

random() {
  openssl rand -hex 24
}

secret() {
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: fraud-monitoring}\nstringData:\n' "$1"
  shift
  for pair; do
    printf '  %s: "%s"\n' "${pair%%=*}" "$(printf %s "${pair#*=}" | sed 's/[\\"]/\\&/g')"
  done
}

ask() {
  kubectl --namespace fraud-monitoring get secret "$@"
}

is_there() {
  case " $there " in *" $1 "*) return 0 ;; esac
  return 1
}

# What an existing Secret holds under a key.
value() {
  encoded=$(ask "$1" --output "jsonpath={.data.$2}") || fail "kubectl does not show the Secret $1 (above)."
  [ -n "$encoded" ] || fail "The Secret $1 has no $2: what is missing cannot be made to fit it."
  printf %s "$encoded" | base64 -d
}

names="handler-secrets collector-secrets redis-secrets grafana-secrets"
there=
if [ "${1-}" != --all ]; then
  command -v kubectl >/dev/null || fail "kubectl is not there to be asked which Secrets exist; --all prints all of them."
  found=$(ask --output name) || fail "kubectl does not say which Secrets exist (above); --all prints all of them."
  for name in $names; do
    # The list has one a line, and command substitution keeps the line ends.
    if printf '%s\n' "$found" | grep -qx "secret/$name"; then there="$there $name"; fi
  done
fi

# What the Collector takes; while a token replaces another it has both, and any of them opens it.
otlp() {
  if is_there handler-secrets; then
    value handler-secrets OTLP_TOKEN
  elif is_there collector-secrets; then
    both=$(value collector-secrets OTLP_TOKEN) || exit 1
    printf %s "${both%%,*}"
  else
    random
  fi
}

# The password in the address that the handlers have; an address without one that is ours is a Redis of yours.
redis() {
  address=${REDIS_URL:-}
  if is_there handler-secrets; then address=$(value handler-secrets REDIS_URL) || exit 1; fi
  case $address in
    redis://:*@redis:6379/0)
      address=${address#redis://:}
      printf %s "${address%@redis:6379/0}"
      ;;
    *) random ;;
  esac
}

if is_there handler-secrets && is_there collector-secrets; then otlp=; else otlp=$(otlp); fi
if is_there redis-secrets; then
  if is_there handler-secrets; then redis=; else redis=$(value redis-secrets REDIS_PASSWORD); fi
else
  redis=$(redis)
fi
case $redis in
  *[!A-Za-z0-9._~-]*)
    [ -n "${REDIS_URL:-}" ] || is_there handler-secrets ||
      fail "REDIS_PASSWORD has signs that an address cannot have as they are: set REDIS_URL."
    ;;
esac

made=
for name in $names; do
  if is_there "$name"; then continue; fi
  made="$made $name"
  case $name in
    handler-secrets)
      secret "$name" "ACCESS_TOKEN=$(random)" "RECEIPT_KEYS=$(random)" \
        "REDIS_URL=${REDIS_URL:-redis://:$redis@redis:6379/0}" "OTLP_TOKEN=$otlp"
      ;;
    collector-secrets) secret "$name" "OTLP_TOKEN=$otlp" ;;
    redis-secrets) secret "$name" "REDIS_PASSWORD=$redis" ;;
    grafana-secrets) secret "$name" "GF_SECURITY_ADMIN_PASSWORD=$(random)" ;;
  esac
done

if [ -z "$made" ]; then
  say "all Secrets are there, none is made."
elif [ -n "$there" ]; then
  say "made to fit those that are there:$made."
  case $made in
    *handler-secrets*) say "ACCESS_TOKEN is another now, callers need it; labels for receipts of before are refused." ;;
  esac
fi
