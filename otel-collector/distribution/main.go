// Program otelcol is the project's OpenTelemetry Collector: its configuration is inside, the
// environment chooses the route and gives addresses and secrets (see ../README.md).
//
// With --config it is an ordinary Collector and checks nothing beforehand.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/otelcol"
)

const (
	version     = "0.152.0"
	exitBadWord = 2 // a setting that cannot be used
)

// Rate limiting (429) is a reason to send later, not to drop.
const retryOn429 = "exporter.prometheusremotewritexporter.RetryOn429"

func main() {
	uris, err := chosenConfiguration(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "otelcol: "+err.Error())
		os.Exit(exitBadWord)
	}
	if err := featuregate.GlobalRegistry().Set(retryOn429, true); err != nil {
		fmt.Fprintln(os.Stderr, "otelcol: "+err.Error())
		os.Exit(1)
	}
	if otelcol.NewCommand(collector(uris)).Execute() != nil {
		os.Exit(1) // the command has printed the error
	}
}

// chosenConfiguration gives the addresses of the route's configuration, and none where the command
// line brings its own or needs none.
func chosenConfiguration(arguments []string) ([]string, error) {
	if bringsItsOwn(arguments) || !needsConfiguration(arguments) {
		return nil, nil
	}
	s, err := readSettings(os.Getenv)
	if err != nil {
		return nil, err
	}
	if runs(arguments) {
		if err := checkQueueDirectory(s.queueDirectory); err != nil {
			return nil, err
		}
	}
	if err := s.publish(os.Setenv); err != nil {
		return nil, err
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(s.memoryMiB << 20 * 4 / 5)
	}
	for _, remark := range s.remarks() {
		fmt.Fprintln(os.Stderr, "otelcol: "+remark)
	}
	return s.configuration(), nil
}

func bringsItsOwn(arguments []string) bool {
	for _, argument := range arguments {
		if strings.HasPrefix(strings.TrimLeft(argument, "-"), "config") && strings.HasPrefix(argument, "-") {
			return true
		}
	}
	return false
}

// runs tells whether the command line starts the Collector itself.
func runs(arguments []string) bool {
	for _, argument := range arguments {
		if !strings.HasPrefix(argument, "-") || argument == "--help" || argument == "-h" || argument == "--version" || argument == "-v" {
			return false
		}
	}
	return true
}

func needsConfiguration(arguments []string) bool {
	if runs(arguments) {
		return true
	}
	return len(arguments) > 0 && (arguments[0] == "validate" || strings.HasPrefix(arguments[0], "print-"))
}

func collector(uris []string) otelcol.CollectorSettings {
	return otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{
			Command:     "otelcol",
			Description: "OpenTelemetry Collector of the fraud-monitoring stack",
			Version:     version,
		},
		Factories: parts,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				URIs: uris,
				ProviderFactories: []confmap.ProviderFactory{
					envprovider.NewFactory(),
					fileprovider.NewFactory(),
					yamlprovider.NewFactory(),
					confmap.NewProviderFactory(newBuiltIn),
				},
			},
		},
	}
}
