package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"
)

// serverErrorType is a client middleware for OTLP targets. The protocol has a sender drop what is
// answered with 500; but stores answer so while they lack their quorum (Cortex) or their disk is full
// (Prometheus). So a 500 becomes a 503 (later, please), until the same batch has been refused for so
// long that it must be the batch: then the answer is let through, and the next batch has its turn.
var serverErrorType = component.MustNewType("server_error_retry")

// How much of an answer is shown in the log: Prometheus names the metric that it cannot store.
const shownOfAnswer = 300

type serverErrorConfig struct {
	GiveUpAfter time.Duration `mapstructure:"give_up_after"`
}

func newServerErrorFactory() extension.Factory {
	return extension.NewFactory(
		serverErrorType,
		func() component.Config { return &serverErrorConfig{GiveUpAfter: time.Hour} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &clientMiddleware{wrap: func(next http.RoundTripper) http.RoundTripper {
				return &insistentTransport{config: cfg.(*serverErrorConfig), logger: set.Logger, next: next}
			}}, nil
		},
		component.StabilityLevelBeta,
	)
}

type insistentTransport struct {
	config  *serverErrorConfig
	logger  *zap.Logger
	next    http.RoundTripper
	mutex   sync.Mutex
	refused [sha256.Size]byte // the batch that was last answered with 500
	since   time.Time         // of the first of its refusals
}

func (t *insistentTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	request.Body.Close()
	if err != nil {
		return nil, err
	}
	attempt := request.Clone(request.Context())
	attempt.Body = io.NopCloser(bytes.NewReader(body))
	response, err := t.next.RoundTrip(attempt)
	if err != nil || response.StatusCode != http.StatusInternalServerError {
		return response, err
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, shownOfAnswer))
	response.Body.Close()
	waited := t.refusedFor(sha256.Sum256(body))
	where := []zap.Field{zap.String("target", request.URL.Host), zap.ByteString("answer", text)}
	if waited < t.config.GiveUpAfter {
		t.logger.Error("The target answers with an internal error (500)."+
			" What it did not take is kept in the queue and sent again.", where...)
		return later(request, "the target answered with an internal error"), nil
	}
	t.logger.Error("The target has answered the same data with an internal error (500) for too long:"+
		" it is dropped.", append(where, zap.Duration("for", waited))...)
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response, nil
}

// refusedFor gives the time since the first refusal of this batch.
func (t *insistentTransport) refusedFor(batch [sha256.Size]byte) time.Duration {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.since.IsZero() || batch != t.refused {
		t.refused, t.since = batch, time.Now()
	}
	return time.Since(t.since)
}
