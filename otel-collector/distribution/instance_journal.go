package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// journal keeps the sums on disk: what they were when they were last sent, and each push since.
type journal struct {
	client storage.Client
	header header
}

type header struct {
	Since     pcommon.Timestamp
	First     int // number of the first push that the saved sums do not have
	Next      int // number of the next push; not kept
	Instances []string
}

const (
	headerKey = "header"
	totalsKey = "totals"
)

func pushKey(number int) string                       { return fmt.Sprintf("push/%d", number) }
func instanceKey(place int) string                    { return fmt.Sprintf("instance/%d", place) }
func set(key string, value []byte) *storage.Operation { return storage.SetOperation(key, value) }

// load gives the sums as they were when the Collector ended, all of them to be sent.
func (j *journal) load(ctx context.Context, now time.Time) (*sums, error) {
	loaded := newSums(now)
	text, err := j.client.Get(ctx, headerKey)
	if err != nil {
		return nil, err
	}
	if text == nil {
		j.header.Since = loaded.since
		text, err = encode(j.header)
		if err != nil {
			return nil, err
		}
		return loaded, j.client.Set(ctx, headerKey, text)
	}
	if err := decode(text, &j.header); err != nil {
		return nil, err
	}
	loaded.since = j.header.Since
	if err := j.loadSaved(ctx, loaded); err != nil {
		return nil, err
	}
	return loaded, j.replay(ctx, loaded)
}

func (j *journal) loadSaved(ctx context.Context, into *sums) error {
	text, err := j.client.Get(ctx, totalsKey)
	if err != nil || text == nil {
		return err
	}
	totals, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(text)
	if err != nil {
		return err
	}
	into.restore(totals)
	for place, instance := range j.header.Instances {
		text, err := j.client.Get(ctx, instanceKey(place))
		if err != nil {
			return err
		}
		var last map[string]said
		if err := decode(text, &last); err != nil {
			return err
		}
		into.instances[instance] = last
	}
	return nil
}

func (j *journal) replay(ctx context.Context, into *sums) error {
	for j.header.Next = j.header.First; ; j.header.Next++ {
		text, err := j.client.Get(ctx, pushKey(j.header.Next))
		if err != nil || text == nil {
			return err
		}
		push, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(text)
		if err != nil {
			return err
		}
		into.add(push)
	}
}

// write keeps a push.
func (j *journal) write(ctx context.Context, push pmetric.Metrics) error {
	text, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(push)
	if err != nil {
		return err
	}
	if err := j.client.Set(ctx, pushKey(j.header.Next), text); err != nil {
		return err
	}
	j.header.Next++
	return nil
}

// save keeps the sums in the place of the pushes that they were made of, all at once.
func (j *journal) save(ctx context.Context, of *sums) error {
	totals, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(of.build(time.Now(), true))
	if err != nil {
		return err
	}
	operations := []*storage.Operation{set(totalsKey, totals)}
	for number := j.header.First; number < j.header.Next; number++ {
		operations = append(operations, storage.DeleteOperation(pushKey(number)))
	}
	saved := j.header
	saved.First = saved.Next
	saved.Instances = append([]string{}, j.header.Instances...)
	places := map[string]int{}
	for place, instance := range saved.Instances {
		places[instance] = place
	}
	for instance := range of.pushed {
		place, known := places[instance]
		if !known {
			place = len(saved.Instances)
			saved.Instances = append(saved.Instances, instance)
		}
		text, err := encode(of.instances[instance])
		if err != nil {
			return err
		}
		operations = append(operations, set(instanceKey(place), text))
	}
	text, err := encode(saved)
	if err != nil {
		return err
	}
	if err := j.client.Batch(ctx, append(operations, set(headerKey, text))...); err != nil {
		return err
	}
	j.header = saved
	clear(of.pushed)
	return nil
}

func encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	err := gob.NewEncoder(&buffer).Encode(value)
	return buffer.Bytes(), err
}

func decode(text []byte, into any) error {
	return gob.NewDecoder(bytes.NewReader(text)).Decode(into)
}
