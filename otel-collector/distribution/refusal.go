package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
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
			return &clientMiddleware{wrap: func(next http.RoundTripper) http.RoundTripper {
				return &patientTransport{config: cfg.(*refusalConfig), logger: set.Logger, next: next}
			}}, nil
		},
		component.StabilityLevelBeta,
	)
}

type patientTransport struct {
	config *refusalConfig
	logger *zap.Logger
	next   http.RoundTripper
	mutex  sync.Mutex
	until  time.Time // no request before
}

func (t *patientTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.pausing() {
		if request.Body != nil {
			request.Body.Close()
		}
		return later(request, "the credentials were refused"), nil
	}
	response, err := t.next.RoundTrip(request)
	if err == nil && response.StatusCode/100 == 3 {
		// The credentials are put on each request anew: they would go to whoever is pointed to.
		response.Body.Close()
		t.logger.Error("The target answers with a redirect, which is not followed: set its own address.",
			zap.String("target", request.URL.Host), zap.Int("status", response.StatusCode))
		return later(request, "the credentials were refused"), nil
	}
	if err != nil || (response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden) {
		return response, err
	}
	response.Body.Close()
	t.pause(request.URL.Host, response.StatusCode)
	return later(request, "the credentials were refused"), nil
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
