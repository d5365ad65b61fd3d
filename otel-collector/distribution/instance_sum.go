package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"
)

// instanceSumType is a processor that adds the counters and histograms of all instances of a service up
// and sends the sums alone, each interval in which one of them was pushed. What cannot be added (gauges)
// and what is excepted goes on at once, by instance.
//
// Sums are exact, over restarts of an instance and of the Collector: what each instance said last is kept
// with the sums, and a push is on disk before it is answered. See ../README.md for the conditions.
var instanceSumType = component.MustNewType("instance_sum")

type instanceSumConfig struct {
	Interval time.Duration `mapstructure:"interval"`
	Storage  component.ID  `mapstructure:"storage"`
	Except   []string      `mapstructure:"except"` // names of metrics that stay apart
}

func newInstanceSumFactory() processor.Factory {
	return processor.NewFactory(
		instanceSumType,
		func() component.Config { return &instanceSumConfig{Interval: 15 * time.Second} },
		processor.WithMetrics(newInstanceSum, component.StabilityLevelBeta),
	)
}

func newInstanceSum(
	_ context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics,
) (processor.Metrics, error) {
	return &instanceSum{
		config: cfg.(*instanceSumConfig), id: set.ID, logger: set.Logger, next: next, stopped: make(chan struct{}),
	}, nil
}

type instanceSum struct {
	config  *instanceSumConfig
	id      component.ID
	logger  *zap.Logger
	next    consumer.Metrics
	mutex   sync.Mutex // of sums and journal
	sums    *sums
	journal *journal
	ticking sync.WaitGroup
	stopped chan struct{}
}

func (*instanceSum) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

func (p *instanceSum) Start(ctx context.Context, host component.Host) error {
	extension, found := host.GetExtensions()[p.config.Storage].(storage.Extension)
	if !found {
		return fmt.Errorf("%s: storage %q is no storage extension", p.id, p.config.Storage)
	}
	client, err := extension.GetClient(ctx, component.KindProcessor, p.id, "")
	if err != nil {
		return err
	}
	p.journal = &journal{client: client}
	if p.sums, err = p.journal.load(ctx, time.Now()); err != nil {
		return fmt.Errorf("%s: the sums that were kept cannot be read: %w", p.id, err)
	}
	p.ticking.Add(1)
	go p.tick()
	return nil
}

// Shutdown sends what was added since the last interval.
func (p *instanceSum) Shutdown(ctx context.Context) error {
	if p.journal == nil {
		return nil
	}
	close(p.stopped)
	p.ticking.Wait()
	p.send(ctx)
	return p.journal.client.Close(ctx)
}

func (p *instanceSum) ConsumeMetrics(ctx context.Context, metrics pmetric.Metrics) error {
	if counted := p.takeCounted(metrics); counted.DataPointCount() > 0 {
		if err := p.add(ctx, counted); err != nil {
			return err
		}
	}
	if metrics.DataPointCount() == 0 {
		return nil
	}
	return p.next.ConsumeMetrics(ctx, metrics)
}

// add returns when the push is on disk.
func (p *instanceSum) add(ctx context.Context, push pmetric.Metrics) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := p.journal.write(ctx, push); err != nil {
		return err
	}
	p.sums.add(push)
	return nil
}

func (p *instanceSum) tick() {
	defer p.ticking.Done()
	ticker := time.NewTicker(p.config.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-p.stopped:
			return
		case <-ticker.C:
			p.send(context.Background())
		}
	}
}

// send gives the sums of those services that pushed something to the next component.
func (p *instanceSum) send(ctx context.Context) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.sums.changed) == 0 {
		return
	}
	if err := p.journal.save(ctx, p.sums); err != nil {
		p.logger.Error("The sums cannot be kept on disk; they are sent when they can.", zap.Error(err))
		return
	}
	if err := p.next.ConsumeMetrics(ctx, p.sums.build(time.Now(), false)); err != nil {
		p.logger.Error("The sums were not taken; the next ones carry them.", zap.Error(err))
		return
	}
	clear(p.sums.changed)
}

// takeCounted moves what can be added out of the metrics.
func (p *instanceSum) takeCounted(metrics pmetric.Metrics) pmetric.Metrics {
	counted := pmetric.NewMetrics()
	for _, resource := range metrics.ResourceMetrics().All() {
		taken := counted.ResourceMetrics().AppendEmpty()
		resource.Resource().CopyTo(taken.Resource())
		into := taken.ScopeMetrics().AppendEmpty().Metrics()
		for _, scope := range resource.ScopeMetrics().All() {
			scope.Metrics().RemoveIf(func(metric pmetric.Metric) bool {
				if !canBeAdded(metric) || slices.Contains(p.config.Except, metric.Name()) {
					return false
				}
				metric.MoveTo(into.AppendEmpty())
				return true
			})
		}
	}
	return counted
}

func canBeAdded(metric pmetric.Metric) bool {
	switch metric.Type() {
	case pmetric.MetricTypeSum:
		return metric.Sum().IsMonotonic()
	case pmetric.MetricTypeHistogram:
		return true
	default:
		return false
	}
}
