package main

import (
	"context"
	"io"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// clientMiddleware is an extension between exporters and their targets: each exporter that names it
// gets a transport of its own.
type clientMiddleware struct {
	component.StartFunc
	component.ShutdownFunc
	wrap func(next http.RoundTripper) http.RoundTripper
}

func (m *clientMiddleware) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(_ context.Context, next http.RoundTripper) (http.RoundTripper, error) {
		return m.wrap(next), nil
	}, nil
}

// later is the answer of a target that asks to be sent the same again.
func later(request *http.Request, why string) *http.Response {
	const status = http.StatusServiceUnavailable
	return &http.Response{
		Status: "503 Service Unavailable", StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(why)),
		Request: request,
	}
}
