// Package config holds the Collector's configuration, so that the program needs no mounted files.
package config

import "embed"

// Files are the YAML files of this folder.
//
//go:embed *.yaml
var Files embed.FS
