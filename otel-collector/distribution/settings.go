package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	routeLocal = "local"
	routeCloud = "grafana-cloud"
	routeBoth  = "both" // local and grafana-cloud
	routeStore = "remote-write"

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
	tracesFile     string // empty: no file of traces
	probeURL       string // empty: the service is not probed
	sumInstances   bool   // counters leave as sums over the instances
	otlpTokens     []string
	cloudMetrics   string
	cloudOTLP      string // empty: no cloud target for traces
	cloudOTLPID    string
	cloudToken     string
	write          writeTarget // without an address: nothing goes by remote-write
}

func (s settings) local() bool { return s.name == routeLocal || s.name == routeBoth }
func (s settings) cloud() bool { return s.name == routeCloud || s.name == routeBoth }

// localTraces tells whether traces go to TEMPO_URL and TRACES_FILE.
func (s settings) localTraces() bool { return s.name != routeCloud }

func readSettings(lookup func(string) string) (settings, error) {
	r := &reader{lookup: lookup}
	s := settings{
		name:           r.oneOf("OTEL_COLLECTOR_ROUTE", routeLocal, routeLocal, routeCloud, routeBoth, routeStore),
		memoryMiB:      r.number("COLLECTOR_MEMORY_MIB", usualMemoryMiB(), 32, 1<<20),
		queueMiB:       r.number("COLLECTOR_QUEUE_MIB", 128, 1, 1<<20),
		queueDirectory: r.word("COLLECTOR_QUEUE_DIR", ".run/collector-queue"),
		tracesPercent:  r.number("TRACES_SHARE_PERCENT", 10, 0, 100),
		prometheusURL:  r.address("PROMETHEUS_URL", "http://localhost:9090"),
		tempoURL:       r.address("TEMPO_URL", ""),
		tracesFile:     r.word("TRACES_FILE", ""),
		cloudMetrics:   r.oneOf("GRAFANA_CLOUD_METRICS", byRemoteWrite, byRemoteWrite, byOTLP),
		cloudOTLP:      r.address("GRAFANA_CLOUD_OTLP_ENDPOINT", ""),
		probeURL:       r.address("PROBE_URL", ""),
		sumInstances:   r.oneOf("COLLECTOR_SUM_INSTANCES", "false", "true", "false") == "true",
		otlpTokens:     r.secrets("OTLP_TOKEN"),
	}
	r.number("TRACES_FILE_MIB", 8, 1, 1<<10)
	r.duration("PROBE_INTERVAL", "15s")
	r.number("TRACES_SLOW_MS", 500, 1, 3_600_000)
	r.duration("TRACES_DECISION_WAIT", "5s")
	r.duration("COLLECTOR_RETRY_MAX_INTERVAL", "30s")
	r.duration("COLLECTOR_ERROR_GIVE_UP", "1h")
	r.duration("COLLECTOR_SUM_INTERVAL", "15s")
	r.listener("OTLP_HTTP_ENDPOINT", "127.0.0.1:4318")
	r.listener("COLLECTOR_HEALTH_ENDPOINT", "127.0.0.1:13133")
	r.number("COLLECTOR_METRICS_PORT", 8888, 1, 65535)
	s.checkReceiver(r)
	if s.cloud() {
		s.readCloud(r)
	}
	if s.name == routeStore {
		s.write = readStore(r)
	}
	return s, r.err
}

// checkReceiver keeps strangers' figures out: whoever can send can write any series.
func (s *settings) checkReceiver(r *reader) {
	open := r.oneOf("OTLP_ALLOW_OPEN", "false", "true", "false") == "true"
	host, _, err := net.SplitHostPort(r.word("OTLP_HTTP_ENDPOINT", "127.0.0.1:4318"))
	if err == nil && !isLoopback(host) && len(s.otlpTokens) == 0 && !open {
		r.complain("OTLP_TOKEN", "is missing: OTLP_HTTP_ENDPOINT is reached by other hosts; set it here and in the"+
			" handler's OTEL_EXPORTER_OTLP_HEADERS, or OTLP_ALLOW_OPEN=true where the network is private")
	}
}

// readCloud reads Grafana Cloud's addresses and credentials.
func (s *settings) readCloud(r *reader) {
	why := fmt.Sprintf("the route %q needs it (docs/grafana_cloud_setup.md says where to find it)", s.name)
	s.cloudToken = r.credential("GRAFANA_CLOUD_TOKEN", why)
	r.encrypted("GRAFANA_CLOUD_OTLP_ENDPOINT", s.cloudOTLP)
	if s.cloudMetrics == byOTLP {
		r.required("GRAFANA_CLOUD_OTLP_ENDPOINT", s.cloudOTLP, why)
	} else {
		s.write = readCloudWrite(r, s.cloudToken, why)
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
		"PROBE_URL":                   s.probeURL,
		"OTLP_TOKENS":                 `["` + strings.Join(s.otlpTokens, `", "`) + `"]`,
		"GRAFANA_CLOUD_OTLP_ENDPOINT": s.cloudOTLP,
		"GRAFANA_CLOUD_OTLP_ID":       literal(s.cloudOTLPID),
		"GRAFANA_CLOUD_TOKEN":         literal(s.cloudToken),
	}
	maps.Copy(words, s.write.words())
	if s.write.address != "" && os.Getenv("COLLECTOR_INTERNAL_ENDPOINT") == "" {
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
	if s.localTraces() && s.tempoURL == "" && s.tracesFile == "" {
		said = append(said, "Neither TEMPO_URL nor TRACES_FILE is set: traces are not kept locally.")
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
