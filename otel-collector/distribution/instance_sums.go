package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	instanceAttribute = "service.instance.id"
	ofAllInstances    = "all"
)

// said is what an instance said last of a series. Values are those of a counter, or of a histogram its
// buckets and its sum.
type said struct {
	Start, At pcommon.Timestamp
	Values    []float64
}

// sums are the totals over all instances. A total only ever rises, and is never computed anew: adding
// floats up in another order would make it fall by a rounding, which a store takes for a restart.
type sums struct {
	since     pcommon.Timestamp // counts that began before, of instances not known, are history
	totals    map[string]*total
	instances map[string]map[string]said // by instance and series
	changed   map[string]bool            // services that pushed since the totals were sent
	pushed    map[string]bool            // instances that pushed since the state was saved
}

// total is one series of a service without its instance.
type total struct {
	service  string
	family   string
	resource pcommon.Resource
	metric   pmetric.Metric // without data points
	point    pcommon.Map
	bounds   []float64
	start    pcommon.Timestamp
	values   []float64
}

func newSums(since time.Time) *sums {
	return &sums{
		since:     pcommon.NewTimestampFromTime(since),
		totals:    map[string]*total{},
		instances: map[string]map[string]said{},
		changed:   map[string]bool{},
		pushed:    map[string]bool{},
	}
}

// add takes one push; what is not newer than what is known changes nothing.
func (s *sums) add(push pmetric.Metrics) {
	for _, resource := range push.ResourceMetrics().All() {
		owner := pcommon.NewResource()
		resource.Resource().CopyTo(owner)
		owner.Attributes().PutStr(instanceAttribute, ofAllInstances)
		service, instance := keyOf(owner.Attributes()), keyOf(resource.Resource().Attributes())
		if s.instances[instance] == nil {
			s.instances[instance] = map[string]said{}
		}
		s.changed[service], s.pushed[instance] = true, true
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				eachPoint(metric, func(p point) { s.addPoint(service, instance, owner, metric, p) })
			}
		}
	}
}

func (s *sums) addPoint(service, instance string, owner pcommon.Resource, metric pmetric.Metric, p point) {
	family, series := seriesKeys(service, metric, p)
	sum := s.totals[series]
	if sum == nil {
		sum = newTotal(service, family, owner, metric, p)
		s.totals[series] = sum
	}
	last, known := s.instances[instance][series]
	if known && p.At <= last.At {
		return
	}
	switch {
	case known && p.Start <= last.Start && !fell(last.Values, p.Values):
		for i := range sum.values {
			sum.values[i] += p.Values[i] - last.Values[i]
		}
	case known || p.Start > s.since: // begun anew, or never seen
		for i := range sum.values {
			sum.values[i] += p.Values[i]
		}
	}
	s.instances[instance][series] = p.said
}

func fell(before, after []float64) bool {
	for i := range before {
		if after[i] < before[i] {
			return true
		}
	}
	return false
}

// seriesKeys tell metrics of services, and series within them, apart.
func seriesKeys(service string, metric pmetric.Metric, p point) (family, series string) {
	family = strings.Join([]string{service, metric.Name(), metric.Unit(), metric.Type().String()}, "\x00")
	return family, fmt.Sprint(family, "\x00", keyOf(p.attributes), "\x00", p.bounds, len(p.Values))
}

func newTotal(service, family string, owner pcommon.Resource, metric pmetric.Metric, p point) *total {
	made := &total{
		service: service, family: family, resource: pcommon.NewResource(), metric: pmetric.NewMetric(), point: pcommon.NewMap(),
		bounds: p.bounds, start: p.At, values: make([]float64, len(p.Values)),
	}
	owner.CopyTo(made.resource)
	p.attributes.CopyTo(made.point)
	made.metric.SetName(metric.Name())
	made.metric.SetUnit(metric.Unit())
	made.metric.SetDescription(metric.Description())
	if metric.Type() == pmetric.MetricTypeHistogram {
		made.metric.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	} else {
		made.metric.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		made.metric.Sum().SetIsMonotonic(true)
	}
	return made
}

// build gives the totals of the services that changed, or of all.
func (s *sums) build(at time.Time, all bool) pmetric.Metrics {
	built := pmetric.NewMetrics()
	scopes := map[string]pmetric.ScopeMetrics{}
	metrics := map[string]pmetric.Metric{}
	for _, sum := range s.totals {
		if !all && !s.changed[sum.service] {
			continue
		}
		scope, found := scopes[sum.service]
		if !found {
			resource := built.ResourceMetrics().AppendEmpty()
			sum.resource.CopyTo(resource.Resource())
			scope = resource.ScopeMetrics().AppendEmpty()
			scopes[sum.service] = scope
		}
		metric, found := metrics[sum.family]
		if !found {
			metric = scope.Metrics().AppendEmpty()
			sum.metric.CopyTo(metric)
			metrics[sum.family] = metric
		}
		sum.appendTo(metric, pcommon.NewTimestampFromTime(at))
	}
	return built
}

func (t *total) appendTo(metric pmetric.Metric, at pcommon.Timestamp) {
	if metric.Type() == pmetric.MetricTypeSum {
		made := metric.Sum().DataPoints().AppendEmpty()
		made.SetDoubleValue(t.values[0])
		made.SetStartTimestamp(t.start)
		made.SetTimestamp(at)
		t.point.CopyTo(made.Attributes())
		return
	}
	made := metric.Histogram().DataPoints().AppendEmpty()
	buckets := t.values[:len(t.values)-1]
	for _, count := range buckets {
		made.BucketCounts().Append(uint64(count))
		made.SetCount(made.Count() + uint64(count))
	}
	made.SetSum(t.values[len(t.values)-1])
	made.ExplicitBounds().FromRaw(t.bounds)
	made.SetStartTimestamp(t.start)
	made.SetTimestamp(at)
	t.point.CopyTo(made.Attributes())
}

// restore takes totals that build gave.
func (s *sums) restore(built pmetric.Metrics) {
	for _, resource := range built.ResourceMetrics().All() {
		service := keyOf(resource.Resource().Attributes())
		s.changed[service] = true
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				eachPoint(metric, func(p point) {
					family, series := seriesKeys(service, metric, p)
					sum := newTotal(service, family, resource.Resource(), metric, p)
					sum.start = p.Start
					copy(sum.values, p.Values)
					s.totals[series] = sum
				})
			}
		}
	}
}

// point is a data point of a counter or a histogram.
type point struct {
	said
	attributes pcommon.Map
	bounds     []float64
}

func eachPoint(metric pmetric.Metric, take func(point)) {
	if metric.Type() == pmetric.MetricTypeSum {
		for _, each := range metric.Sum().DataPoints().All() {
			value := each.DoubleValue()
			if each.ValueType() == pmetric.NumberDataPointValueTypeInt {
				value = float64(each.IntValue())
			}
			take(point{said{each.StartTimestamp(), each.Timestamp(), []float64{value}}, each.Attributes(), nil})
		}
		return
	}
	for _, each := range metric.Histogram().DataPoints().All() {
		var values []float64
		for _, count := range each.BucketCounts().All() {
			values = append(values, float64(count))
		}
		if len(values) == 0 {
			values = append(values, float64(each.Count()))
		}
		values = append(values, each.Sum())
		take(point{said{each.StartTimestamp(), each.Timestamp(), values}, each.Attributes(), each.ExplicitBounds().AsRaw()})
	}
}

// keyOf is the same for the same attributes in whatever order.
func keyOf(attributes pcommon.Map) string {
	pairs := make([]string, 0, attributes.Len())
	for name, value := range attributes.All() {
		pairs = append(pairs, name+"\x01"+value.AsString())
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "\x02")
}
