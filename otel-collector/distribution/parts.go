package main

import "go.opentelemetry.io/collector/otelcol"

// parts are the manifest's components and this program's own.
func parts() (otelcol.Factories, error) {
	factories, err := components()
	if err != nil {
		return factories, err
	}
	factories.Extensions[refusalType] = newRefusalFactory()
	factories.Extensions[serverErrorType] = newServerErrorFactory()
	factories.Processors[lateExemplarsType] = newLateExemplarsFactory()
	factories.Processors[instanceSumType] = newInstanceSumFactory()
	return factories, nil
}
