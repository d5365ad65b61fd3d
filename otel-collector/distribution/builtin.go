package main

import (
	"context"
	"strings"

	config "fraud-monitoring/collector-config"

	"go.opentelemetry.io/collector/confmap"
)

// builtInScheme names the files of ../config, which are part of the program: `builtin:base.yaml`.
const builtInScheme = "builtin"

type builtIn struct{}

func newBuiltIn(confmap.ProviderSettings) confmap.Provider { return builtIn{} }

func (builtIn) Retrieve(_ context.Context, uri string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	text, err := config.Files.ReadFile(strings.TrimPrefix(uri, builtInScheme+":"))
	if err != nil {
		return nil, err
	}
	return confmap.NewRetrievedFromYAML(text)
}

func (builtIn) Scheme() string { return builtInScheme }

func (builtIn) Shutdown(context.Context) error { return nil }
