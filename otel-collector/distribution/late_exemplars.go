package main

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
)

// lateExemplarsType is a processor for what leaves a queue: it takes the exemplars off data points that
// are older than a bound. Stores take samples out of order but no exemplars: where another Collector has
// delivered newer ones of the same series, Cortex answers 400 and Thanos 409, and the exporter, which
// cannot know that the samples are stored, counts and drops them as refused for good.
var lateExemplarsType = component.MustNewType("late_exemplars")

type lateExemplarsConfig struct {
	OlderThan time.Duration `mapstructure:"older_than"`
}

func newLateExemplarsFactory() processor.Factory {
	return processor.NewFactory(
		lateExemplarsType,
		func() component.Config { return &lateExemplarsConfig{OlderThan: 5 * time.Second} },
		processor.WithMetrics(newLateExemplars, component.StabilityLevelBeta),
	)
}

func newLateExemplars(
	ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics,
) (processor.Metrics, error) {
	olderThan := cfg.(*lateExemplarsConfig).OlderThan
	return processorhelper.NewMetrics(ctx, set, cfg, next,
		func(_ context.Context, metrics pmetric.Metrics) (pmetric.Metrics, error) {
			dropExemplarsBefore(metrics, time.Now().Add(-olderThan))
			return metrics, nil
		},
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}))
}

func dropExemplarsBefore(metrics pmetric.Metrics, bound time.Time) {
	for _, resource := range metrics.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				dropExemplarsOfMetric(metric, bound)
			}
		}
	}
}

func dropExemplarsOfMetric(metric pmetric.Metric, bound time.Time) {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		dropExemplarsOfNumbers(metric.Gauge().DataPoints(), bound)
	case pmetric.MetricTypeSum:
		dropExemplarsOfNumbers(metric.Sum().DataPoints(), bound)
	case pmetric.MetricTypeHistogram:
		for _, point := range metric.Histogram().DataPoints().All() {
			if point.Timestamp().AsTime().Before(bound) {
				drop(point.Exemplars())
			}
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, point := range metric.ExponentialHistogram().DataPoints().All() {
			if point.Timestamp().AsTime().Before(bound) {
				drop(point.Exemplars())
			}
		}
	}
}

func dropExemplarsOfNumbers(points pmetric.NumberDataPointSlice, bound time.Time) {
	for _, point := range points.All() {
		if point.Timestamp().AsTime().Before(bound) {
			drop(point.Exemplars())
		}
	}
}

func drop(exemplars pmetric.ExemplarSlice) {
	exemplars.RemoveIf(func(pmetric.Exemplar) bool { return true })
}
