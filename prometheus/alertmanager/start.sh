#!/bin/sh
# Writes Alertmanager's configuration from the environment and becomes Alertmanager:
#   sh start.sh PROGRAM [ITS OPTIONS]     for example: sh start.sh alertmanager --web.listen-address=:9093
#   sh start.sh --print                   only shows the configuration (secrets included)
# POSIX sh, so that it is the same natively and in the container, whose image has nothing else.
#
# Where alerts are sent; any of them, or none:
#   ALERT_WEBHOOK_URL         every alert, as Alertmanager's JSON
#   ALERT_PAGE_WEBHOOK_URL    pages alone: a pager
#   ALERT_HEARTBEAT_URL       no alert, but a POST each minute while alerting works, to a service that calls you when
#                             it stops (a dead man's switch): what is broken cannot tell so itself
#   ALERT_SLACK_WEBHOOK_URL   every alert to Slack; ALERT_SLACK_CHANNEL where the hook allows one
#   ALERT_EMAIL_TO            every alert by e-mail, and then ALERT_SMTP_SMARTHOST (host:port) and ALERT_SMTP_FROM;
#                             ALERT_SMTP_USERNAME and ALERT_SMTP_PASSWORD where the server wants them;
#                             ALERT_SMTP_TLS=off for a server without TLS
# How:
#   GRAFANA_EXTERNAL_URL      a Grafana with the dashboards, as those who get messages reach it: Slack and e-mail lead to
#                             its panels; not set, to those that Prometheus serves (PROMETHEUS_EXTERNAL_URL)
#   RUNBOOK_BASE_URL          where runbooks are read, for example https://github.com/you/repo/blob/main/; not set, they
#                             are beside the dashboards that Prometheus serves; with a Grafana their path is said
#   ALERTMANAGER_EXTERNAL_URL Alertmanager's own address in the messages, as those who get them reach it
#   ALERT_GROUP_WAIT          how long the first alert of a group waits for others (pages 10s, tickets 1m)
#   ALERT_GROUP_INTERVAL      how long news of a group that was told already waits (pages 1m, tickets 15m)
#   ALERTMANAGER_DIR          data and the written configuration (.run/alertmanager)
set -eu
umask 077

fail() {
  printf 'alertmanager: %s\n' "$1" >&2
  exit 2
}

# One line, no template: what is written below is data and never configuration.
plain() {
  case $2 in
    *[[:cntrl:]]* | *'{{'*) fail "$1 must be one line without {{ and control characters" ;;
  esac
}

# An address holds a secret: it is never shown. Alertmanager refuses the same ones, but shows them.
address() {
  plain "$1" "$2"
  [ -z "$2" ] || matches "$2" 'https?://([^][/@?# ]+@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+])(:[0-9]+)?([/?#]([^% ]|%[0-9A-Fa-f]{2})*)?' ||
    fail "$1 must be an address such as https://example.org/path; it is not shown, because it is a secret"
}

matches() {
  printf %s "$1" | grep -Eqx "$2"
}

# Unlike echo, which some shells let interpret backslashes.
line() {
  printf '%s\n' "$1"
}

quoted() {
  printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"
}

duration() {
  plain "$1" "$2"
  [ -z "$2" ] || matches "$2" '0*[1-9][0-9]*(ms|s|m|h|d)' ||
    fail "$1 must be a duration above 0 such as 30s or 5m, got '$2'"
}

webhook=${ALERT_WEBHOOK_URL:-} pager=${ALERT_PAGE_WEBHOOK_URL:-} heartbeat=${ALERT_HEARTBEAT_URL:-}
slack=${ALERT_SLACK_WEBHOOK_URL:-} channel=${ALERT_SLACK_CHANNEL:-}
email=${ALERT_EMAIL_TO:-} smarthost=${ALERT_SMTP_SMARTHOST:-} from=${ALERT_SMTP_FROM:-}
username=${ALERT_SMTP_USERNAME:-} password=${ALERT_SMTP_PASSWORD:-} tls=${ALERT_SMTP_TLS:-on}
grafana=${GRAFANA_EXTERNAL_URL:-} runbooks=${RUNBOOK_BASE_URL:-} external=${ALERTMANAGER_EXTERNAL_URL:-}
folder=${ALERTMANAGER_DIR:-.run/alertmanager}

check() {
  address ALERT_WEBHOOK_URL "$webhook"
  address ALERT_PAGE_WEBHOOK_URL "$pager"
  address ALERT_HEARTBEAT_URL "$heartbeat"
  address ALERT_SLACK_WEBHOOK_URL "$slack"
  address GRAFANA_EXTERNAL_URL "$grafana"
  address RUNBOOK_BASE_URL "$runbooks"
  address ALERTMANAGER_EXTERNAL_URL "$external"
  plain ALERT_SLACK_CHANNEL "$channel"
  plain ALERT_SMTP_USERNAME "$username"
  plain ALERT_SMTP_PASSWORD "$password"
  plain ALERT_EMAIL_TO "$email"
  plain ALERT_SMTP_FROM "$from"
  plain ALERT_SMTP_SMARTHOST "$smarthost"
  if [ -n "$email" ]; then
    case $email in ?*@?*) ;; *) fail "ALERT_EMAIL_TO must be an e-mail address, got '$email'" ;; esac
    case $from in ?*@?*) ;; *) fail "ALERT_EMAIL_TO also needs ALERT_SMTP_FROM, an e-mail address, got '$from'" ;; esac
    matches "$smarthost" '([^]: []+|\[[0-9A-Fa-f:.]+]):[0-9]+' ||
      fail "ALERT_EMAIL_TO also needs ALERT_SMTP_SMARTHOST as host:port, got '$smarthost'"
    case ${username:+u}${password:+p} in
      u) fail "ALERT_SMTP_USERNAME also needs ALERT_SMTP_PASSWORD" ;;
      p) fail "ALERT_SMTP_PASSWORD also needs ALERT_SMTP_USERNAME" ;;
    esac
    case $tls in on | off) ;; *) fail "ALERT_SMTP_TLS must be on or off, got '$tls'" ;; esac
  fi
  duration ALERT_GROUP_WAIT "${ALERT_GROUP_WAIT:-}"
  duration ALERT_GROUP_INTERVAL "${ALERT_GROUP_INTERVAL:-}"
}

# Names of the ways that are set, for people.
ways() {
  said=
  [ -z "$webhook" ] || said="$said webhook"
  [ -z "$pager" ] || said="$said pager"
  [ -z "$slack" ] || said="$said Slack"
  [ -z "$email" ] || said="$said e-mail"
  printf %s "${said# }"
}

receiver() {
  line "  - name: $1"
  if [ -n "$webhook" ] || { [ "$1" = pages ] && [ -n "$pager" ]; }; then
    line "    webhook_configs:"
    [ -z "$webhook" ] || line "      - url: $(quoted "$webhook")"
    if [ "$1" = pages ] && [ -n "$pager" ]; then line "      - url: $(quoted "$pager")"; fi
  fi
  [ -z "$slack" ] || slack_config
  [ -z "$email" ] || email_config
}

heart() {
  line "  - name: heartbeat"
  [ -n "$heartbeat" ] || return 0
  line "    webhook_configs:"
  line "      - url: $(quoted "$heartbeat")"
  line "        send_resolved: false"
}

# Where to look and what to do, as whole addresses. All alerts of a message have one name, so they share them.
places() {
  line "Panel: $(panel)"
  # Beside Grafana nobody serves the runbooks: better a path than an address that leads nowhere.
  if [ -n "$runbooks$grafana" ]; then
    line "          Runbook: ${runbooks}docs/runbooks/{{ .CommonLabels.alertname }}.md"
  else
    line '          Runbook: {{ .CommonAnnotations.runbook_url }}'
  fi
}

panel() {
  if [ -z "$grafana" ]; then
    printf %s '{{ .CommonAnnotations.dashboard_url }}'
    return
  fi
  printf %s "${grafana%/}/d/{{ .CommonAnnotations.__dashboardUid__ }}?viewPanel={{ .CommonAnnotations.__panelId__ }}"
  printf %s '{{ with .CommonLabels.job }}&var-job={{ . | urlquery }}{{ end }}'
}

slack_config() {
  line "    slack_configs:"
  line "      - api_url: $(quoted "$slack")"
  [ -z "$channel" ] || line "        channel: $(quoted "$channel")"
  cat <<EOF
        title_link: $(quoted "$(panel)")
        send_resolved: true
        color: '{{ if eq .Status "resolved" }}good{{ else if eq .CommonLabels.severity "page" }}danger{{ else }}warning{{ end }}'
        title: '{{ .Status | toUpper }} {{ .CommonLabels.severity }}: {{ .CommonLabels.alertname }}{{ with .CommonLabels.job }} of {{ . }}{{ end }}'
        fallback: '{{ .Status | toUpper }} {{ .CommonLabels.severity }}: {{ .CommonLabels.alertname }}{{ with .CommonLabels.job }} of {{ . }}{{ end }}'
        text: |-
          {{ range .Alerts }}{{ if eq .Status "resolved" }}Over: {{ end }}{{ .Annotations.summary }} {{ .Annotations.value }}
          {{ end }}$(places)
EOF
}

email_config() {
  line "    email_configs:"
  line "      - to: $(quoted "$email")"
  cat <<EOF
        send_resolved: true
        headers:
          Subject: '[{{ .Status | toUpper }} {{ .CommonLabels.severity }}] {{ .CommonLabels.alertname }}{{ with .CommonLabels.job }} of {{ . }}{{ end }}'
        html: ''
        text: |-
          {{ range .Alerts }}{{ .Status }}: {{ .Annotations.summary }}
          {{ .Annotations.value }}
          {{ range .Labels.SortedPairs }}  {{ .Name }}={{ .Value }}
          {{ end }}
          {{ end }}$(places)
EOF
}

smtp() {
  [ -n "$email" ] || return 0
  line "global:"
  line "  smtp_smarthost: $(quoted "$smarthost")"
  line "  smtp_from: $(quoted "$from")"
  [ -z "$username" ] || line "  smtp_auth_username: $(quoted "$username")"
  [ -z "$password" ] || line "  smtp_auth_password: $(quoted "$password")"
  [ "$tls" = on ] || line "  smtp_require_tls: false"
}

# A page of an alert says all that its ticket would. What causes what else is said by the alerts themselves
# (`caused_by` in prometheus/generator/alerts) and generated into this file.
config() {
  smtp
  cat <<EOF
route:
  receiver: tickets
  group_by: [alertname, job]
  group_wait: ${ALERT_GROUP_WAIT:-1m}
  group_interval: ${ALERT_GROUP_INTERVAL:-15m}
  repeat_interval: 1d
  routes:
    - matchers: [alertname="Watchdog"]
      receiver: heartbeat
      group_wait: 0s
      group_interval: ${ALERT_GROUP_INTERVAL:-1m}
      # Less than the interval: at each one.
      repeat_interval: 1s
    - matchers: [severity="page"]
      receiver: pages
      group_wait: ${ALERT_GROUP_WAIT:-10s}
      group_interval: ${ALERT_GROUP_INTERVAL:-1m}
      repeat_interval: 1h
inhibit_rules:
  - source_matchers: [severity="page"]
    target_matchers: [severity="ticket"]
    equal: [alertname, job, slo]
# generated by python -m prometheus generate: begin
  - source_matchers: [alertname="ServiceDown"]
    target_matchers:
      - alertname=~"AvailabilityBudgetBurn|BadData|ChallengerDisagrees|DriftSoon|ErrorBudgetSoonSpent|FeatureDrift|FraudRateJump|FreshnessBudgetBurn|LabelsStalled|LatencyBudgetBurn|MeanScoreJump|NoTraffic|RequestsQueue|SampleRatioMismatch|ScoreDrift"
    equal: [job]
  - source_matchers: [alertname="TelemetrySilent"]
    target_matchers:
      - alertname=~"ErrorBudgetSoonSpent|FreshnessBudgetBurn|LabelsStalled|NoTraffic|ServiceDown|TelemetryLost"
# generated by python -m prometheus generate: end
receivers:
EOF
  heart
  receiver pages
  receiver tickets
}

check
if [ "${1:-}" = --print ]; then
  config
  exit 0
fi
[ $# -ge 1 ] || fail "usage: sh start.sh PROGRAM [ITS OPTIONS], or sh start.sh --print"
mkdir -p "$folder"
# A new file: one that is there already would keep its mode.
rm -f "$folder/alertmanager.yml"
config >"$folder/alertmanager.yml"
if [ -n "$(ways)" ]; then
  echo "alerts are sent by: $(ways)" >&2
else
  echo "alerts are shown here and sent nowhere: set ALERT_WEBHOOK_URL, ALERT_SLACK_WEBHOOK_URL or ALERT_EMAIL_TO" >&2
fi
program=$1
shift
# The settings hold secrets, and the program reads none of them itself.
unset ALERT_WEBHOOK_URL ALERT_PAGE_WEBHOOK_URL ALERT_HEARTBEAT_URL ALERT_SLACK_WEBHOOK_URL ALERT_SMTP_USERNAME ALERT_SMTP_PASSWORD
# Behind a proxy that takes the path of the address away, paths here begin at /.
[ -z "$external" ] || set -- "$@" --web.external-url="$external" --web.route-prefix=/
exec "$program" "$@" --config.file="$folder/alertmanager.yml" --storage.path="$folder/data"
