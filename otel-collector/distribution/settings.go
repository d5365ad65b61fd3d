package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	routeLocal = "local"
	routeCloud = "grafana-cloud"
	routeBoth  = "both"

	byRemoteWrite = "remote-write"
	byOTLP        = "otlp"
)

// settings are the environment's words, checked. Secrets are used, never shown.
type settings struct {
	name           string // the route
	memoryMiB      int64
	queueMiB       int64
	queueDirectory string
	tracesPercent  int64
	prometheusURL  string
	tempoURL       string // empty: no local target for traces
	cloudMetrics   string
	cloudWrite     string // remote-write address
	cloudWriteID   string
	cloudOTLP      string // empty: no cloud target for traces
	cloudOTLPID    string
	cloudToken     string
}

func (s settings) local() bool { return s.name != routeCloud }
func (s settings) cloud() bool { return s.name != routeLocal }

// reader takes words from the environment and keeps the first complaint.
type reader struct {
	lookup func(string) string
	err    error
}

func (r *reader) word(name, otherwise string) string {
	if value := strings.TrimSpace(r.lookup(name)); value != "" {
		return value
	}
	return otherwise
}

func (r *reader) complain(name, sentence string) {
	if r.err == nil {
		r.err = errors.New(name + " " + sentence + ".")
	}
}

func (r *reader) oneOf(name string, otherwise string, words ...string) string {
	value := r.word(name, otherwise)
	if !contains(words, value) {
		r.complain(name, fmt.Sprintf("is %q: it must be one of %s", value, strings.Join(words, ", ")))
	}
	return value
}

func (r *reader) number(name string, otherwise, least, most int64) int64 {
	text := r.word(name, strconv.FormatInt(otherwise, 10))
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < least || value > most {
		r.complain(name, fmt.Sprintf("is %q: it must be a whole number from %d to %d", text, least, most))
	}
	return value
}

func (r *reader) duration(name, otherwise string) {
	text := r.word(name, otherwise)
	if value, err := time.ParseDuration(text); err != nil || value <= 0 {
		r.complain(name, fmt.Sprintf("is %q: it must be a time such as 30s", text))
	}
}

func (r *reader) listener(name, otherwise string) {
	text := r.word(name, otherwise)
	_, port, err := net.SplitHostPort(text)
	if number, numberErr := strconv.Atoi(port); err != nil || numberErr != nil || number < 1 || number > 65535 {
		r.complain(name, fmt.Sprintf("is %q: it must be host:port, such as 127.0.0.1:4318 or [::]:4318", text))
	}
}

// address gives a target's address without a trailing slash. A faulty one is not repeated in the
// complaint: people put passwords into addresses.
func (r *reader) address(name, otherwise string) string {
	text := strings.TrimRight(r.word(name, otherwise), "/")
	if text == "" {
		return ""
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https"):
		r.complain(name, "is not an address: it must begin with http:// or https:// and name a host")
	case parsed.User != nil:
		r.complain(name, "holds a user or a password: those belong into GRAFANA_CLOUD_…_ID and GRAFANA_CLOUD_TOKEN, since addresses are logged")
	case parsed.RawQuery != "" || parsed.Fragment != "":
		r.complain(name, "holds '?' or '#': it must end with the path")
	}
	return text
}

func (r *reader) required(name, value, why string) {
	if value == "" {
		r.complain(name, "is missing: "+why)
	}
}

// credential checks one half of a basic authentication; the value is never shown.
func (r *reader) credential(name, why string) string {
	value := r.word(name, "")
	r.required(name, value, why)
	if strings.ContainsAny(value, " \t\r\n\"'") {
		r.complain(name, "holds a blank or a quotation mark: it must be the bare value")
	}
	return value
}

func readSettings(lookup func(string) string) (settings, error) {
	r := &reader{lookup: lookup}
	s := settings{
		name:           r.oneOf("OTEL_COLLECTOR_ROUTE", routeLocal, routeLocal, routeCloud, routeBoth),
		memoryMiB:      r.number("COLLECTOR_MEMORY_MIB", usualMemoryMiB(), 32, 1<<20),
		queueMiB:       r.number("COLLECTOR_QUEUE_MIB", 128, 1, 1<<20),
		queueDirectory: r.word("COLLECTOR_QUEUE_DIR", ".run/collector-queue"),
		tracesPercent:  r.number("TRACES_SHARE_PERCENT", 10, 0, 100),
		prometheusURL:  r.address("PROMETHEUS_URL", "http://localhost:9090"),
		tempoURL:       r.address("TEMPO_URL", ""),
		cloudMetrics:   r.oneOf("GRAFANA_CLOUD_METRICS", byRemoteWrite, byRemoteWrite, byOTLP),
		cloudWrite:     r.address("GRAFANA_CLOUD_PROM_URL", ""),
		cloudOTLP:      r.address("GRAFANA_CLOUD_OTLP_ENDPOINT", ""),
	}
	r.number("TRACES_SLOW_MS", 500, 1, 3_600_000)
	r.duration("TRACES_DECISION_WAIT", "5s")
	r.duration("COLLECTOR_RETRY_MAX_INTERVAL", "30s")
	r.listener("OTLP_HTTP_ENDPOINT", "127.0.0.1:4318")
	r.listener("COLLECTOR_HEALTH_ENDPOINT", "127.0.0.1:13133")
	r.number("COLLECTOR_METRICS_PORT", 8888, 1, 65535)
	s.readCredentials(r)
	return s, r.err
}

func (s *settings) readCredentials(r *reader) {
	if !s.cloud() {
		return
	}
	why := fmt.Sprintf("the route %q needs it (docs/grafana_cloud_setup.md says where to find it)", s.name)
	s.cloudToken = r.credential("GRAFANA_CLOUD_TOKEN", why)
	if s.cloudMetrics == byOTLP {
		r.required("GRAFANA_CLOUD_OTLP_ENDPOINT", s.cloudOTLP, why)
	} else {
		r.required("GRAFANA_CLOUD_PROM_URL", s.cloudWrite, why)
		s.cloudWriteID = r.credential("GRAFANA_CLOUD_PROM_ID", why)
	}
	if s.cloudOTLP != "" {
		s.cloudOTLPID = r.credential("GRAFANA_CLOUD_OTLP_ID", "GRAFANA_CLOUD_OTLP_ENDPOINT needs it")
	}
}

// publish writes back what the configuration files read: cleaned addresses, sizes in bytes, and
// secrets in which a '$' stays a '$'.
func (s settings) publish(set func(name, value string) error) error {
	words := map[string]string{
		"COLLECTOR_MEMORY_MIB":        strconv.FormatInt(s.memoryMiB, 10),
		"COLLECTOR_QUEUE_DIR":         s.queueDirectory,
		"COLLECTOR_QUEUE_BYTES":       strconv.FormatInt(s.queueMiB<<20, 10),
		"TRACES_SHARE_BELOW":          idsBelow(s.tracesPercent),
		"COLLECTOR_TRACE_QUEUE_BYTES": strconv.FormatInt(s.queueMiB<<20/4, 10),
		"PROMETHEUS_URL":              s.prometheusURL,
		"TEMPO_URL":                   s.tempoURL,
		"GRAFANA_CLOUD_PROM_URL":      s.cloudWrite,
		"GRAFANA_CLOUD_PROM_ID":       literal(s.cloudWriteID),
		"GRAFANA_CLOUD_OTLP_ENDPOINT": s.cloudOTLP,
		"GRAFANA_CLOUD_OTLP_ID":       literal(s.cloudOTLPID),
		"GRAFANA_CLOUD_TOKEN":         literal(s.cloudToken),
	}
	if s.cloud() && s.cloudMetrics == byRemoteWrite && os.Getenv("COLLECTOR_INTERNAL_ENDPOINT") == "" {
		endpoint, err := freeLoopback()
		if err != nil {
			return err
		}
		words["COLLECTOR_INTERNAL_ENDPOINT"] = endpoint
	}
	for name, value := range words {
		if err := set(name, value); err != nil {
			return fmt.Errorf("%s cannot be set: %w", name, err)
		}
	}
	return nil
}

// idsBelow gives the text that is above the last four hex digits of so many per cent of all trace ids.
func idsBelow(percent int64) string {
	if percent == 100 {
		return "g"
	}
	return fmt.Sprintf("%04x", percent*65536/100)
}

func literal(value string) string { return strings.ReplaceAll(value, "$", "$$") }

// freeLoopback gives an address for the Collector to talk to itself.
func freeLoopback() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("COLLECTOR_INTERNAL_ENDPOINT: no free loopback port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func (s settings) remarks() []string {
	var said []string
	if s.local() && s.tempoURL == "" {
		said = append(said, "TEMPO_URL is not set: traces are not kept locally.")
	}
	if s.cloud() && s.cloudOTLP == "" {
		said = append(said, "GRAFANA_CLOUD_OTLP_ENDPOINT is not set: traces are not sent to Grafana Cloud.")
	}
	return said
}

// checkQueueDirectory promises that the queue can be written, or says why not.
func checkQueueDirectory(directory string) error {
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return fmt.Errorf("COLLECTOR_QUEUE_DIR is %q, which cannot be made: %w", directory, err)
	}
	probe := filepath.Join(directory, ".writable")
	err := os.WriteFile(probe, []byte("x"), 0o600)
	if err != nil && !errors.Is(err, syscall.ENOSPC) { // a full disk empties when the queue drains
		return fmt.Errorf("COLLECTOR_QUEUE_DIR is %q, where nothing can be written: %w", directory, err)
	}
	return os.Remove(probe)
}
