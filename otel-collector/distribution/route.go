package main

import (
	"fmt"
	"strings"
)

// route is what a choice of targets means for the configuration.
type route struct {
	files         []string // on top of base.yaml
	extensions    []string // beside those of base.yaml
	metricTargets []string // exporters of the pipeline `metrics`
	traceTargets  []string // exporters of the pipeline `traces`
}

func (r *route) add(file string, extension, metricTarget, traceTarget string) {
	r.files = append(r.files, file)
	for _, field := range []struct {
		list *[]string
		name string
	}{{&r.extensions, extension}, {&r.metricTargets, metricTarget}, {&r.traceTargets, traceTarget}} {
		if field.name != "" && !contains(*field.list, field.name) {
			*field.list = append(*field.list, field.name)
		}
	}
}

const cloudOTLPExtensions = "basicauth/grafana_cloud_otlp, credential_refusal/otlp"

func contains(list []string, name string) bool {
	for _, each := range list {
		if each == name {
			return true
		}
	}
	return false
}

func (s settings) route() route {
	var r route
	if len(s.otlpTokens) > 0 {
		r.add("otlp-token.yaml", "bearertokenauth/otlp", "", "")
	}
	if s.probeURL != "" {
		r.add("probe.yaml", "", "", "")
	}
	if s.sumInstances {
		r.add("sum-instances.yaml", "", "", "")
	}
	if s.local() {
		r.add("prometheus.yaml", "", "otlp_http/prometheus", "")
	}
	if s.write.address != "" {
		s.write.addTo(&r)
	}
	if s.localTraces() {
		if s.tempoURL != "" {
			r.add("tempo.yaml", "", "", "otlp_http/tempo")
		}
		if s.tracesFile != "" {
			r.add("traces-file.yaml", "", "", "file/traces")
		}
	}
	if s.cloud() {
		if s.cloudMetrics == byOTLP {
			r.add("grafana-cloud-otlp.yaml", cloudOTLPExtensions, "otlp_http/grafana_cloud_metrics", "")
		}
		if s.cloudOTLP != "" {
			r.add("grafana-cloud-traces.yaml", cloudOTLPExtensions, "", "otlp_http/grafana_cloud_traces")
		}
	}
	if len(r.traceTargets) == 0 {
		r.traceTargets = []string{"nop"}
	}
	return r
}

// configuration gives the addresses of the route's files and, last, the lists that join them.
func (s settings) configuration() []string {
	r := s.route()
	uris := []string{builtInScheme + ":base.yaml"}
	for _, file := range r.files {
		uris = append(uris, builtInScheme+":"+file)
	}
	extensions := append([]string{"health_check", "file_storage/queue", "server_error_retry"}, r.extensions...)
	metricTargets, probe := strings.Join(r.metricTargets, ", "), ""
	if s.probeURL != "" {
		probe = fmt.Sprintf("metrics/probe: {exporters: [%s]}, ", metricTargets)
	}
	return append(uris, fmt.Sprintf(
		"yaml:service: {extensions: [%s], pipelines: {%smetrics: {exporters: [%s]}, traces: {exporters: [%s]}}}",
		strings.Join(extensions, ", "), probe, metricTargets, strings.Join(r.traceTargets, ", ")))
}
