package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.uber.org/zap"
)

// refusalType is a client middleware for targets behind credentials. The exporters drop what is
// answered with 401 or 403; but a token that ran out is renewed some day, and what was measured
// until then should arrive. So such an answer becomes a 503 (later, please), is told in one
// sentence, and the target is left alone for a pause.
var refusalType = component.MustNewType("credential_refusal")

type refusalConfig struct {
	Pause     time.Duration `mapstructure:"pause"`
	Variables string        `mapstructure:"variables"` // named in the sentence
}

func newRefusalFactory() extension.Factory {
	return extension.NewFactory(
		refusalType,
		func() component.Config { return &refusalConfig{Pause: 30 * time.Second} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &refusal{config: cfg.(*refusalConfig), logger: set.Logger}, nil
		},
		component.StabilityLevelBeta,
	)
}

type refusal struct {
	component.StartFunc
	component.ShutdownFunc
	config *refusalConfig
	logger *zap.Logger
}

func (r *refusal) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, next http.RoundTripper) (http.RoundTripper, error) {
		return &patientTransport{refusal: r, next: next}, nil
	}, nil
}

type patientTransport struct {
	*refusal
	next  http.RoundTripper
	mutex sync.Mutex
	until time.Time // no request before
}

func (t *patientTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.pausing() {
		if request.Body != nil {
			request.Body.Close()
		}
		return later(request), nil
	}
	response, err := t.next.RoundTrip(request)
	if err != nil || (response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden) {
		return response, err
	}
	response.Body.Close()
	t.pause(request.URL.Host, response.StatusCode)
	return later(request), nil
}

func (t *patientTransport) pausing() bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return time.Now().Before(t.until)
}

func (t *patientTransport) pause(host string, status int) {
	t.mutex.Lock()
	t.until = time.Now().Add(t.config.Pause)
	t.mutex.Unlock()
	t.logger.Error("The target refuses the credentials: check "+t.config.Variables+
		". What it did not take is kept in the queue and sent again.",
		zap.String("target", host), zap.Int("status", status))
}

func later(request *http.Request) *http.Response {
	const status = http.StatusServiceUnavailable
	return &http.Response{
		Status: "503 Service Unavailable", StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader("the credentials were refused")),
		Request: request,
	}
}
