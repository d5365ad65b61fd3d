//go:build kinds

// Package crds keeps the module whose kinds controller-gen describes in go.mod.
package crds

import _ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
