package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const shortestSecret = 16 // as service/settings.py has it

// plainSecret is what RFC 6750 lets a bearer token be made of.
var plainSecret = regexp.MustCompile(`^[A-Za-z0-9._~+/=-]+$`)

// reader takes words from the environment and keeps the first complaint.
type reader struct {
	lookup func(string) string
	err    error
}

func (r *reader) word(name, otherwise string) string {
	if value := strings.TrimSpace(r.lookup(name)); value != "" {
		return value
	}
	return otherwise
}

func (r *reader) complain(name, sentence string) {
	if r.err == nil {
		r.err = errors.New(name + " " + sentence + ".")
	}
}

func (r *reader) oneOf(name string, otherwise string, words ...string) string {
	value := r.word(name, otherwise)
	if !contains(words, value) {
		r.complain(name, fmt.Sprintf("is %q: it must be one of %s", value, strings.Join(words, ", ")))
	}
	return value
}

func (r *reader) number(name string, otherwise, least, most int64) int64 {
	text := r.word(name, strconv.FormatInt(otherwise, 10))
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < least || value > most {
		r.complain(name, fmt.Sprintf("is %q: it must be a whole number from %d to %d", text, least, most))
	}
	return value
}

func (r *reader) duration(name, otherwise string) {
	text := r.word(name, otherwise)
	if value, err := time.ParseDuration(text); err != nil || value <= 0 {
		r.complain(name, fmt.Sprintf("is %q: it must be a time such as 30s", text))
	}
}

func (r *reader) listener(name, otherwise string) {
	text := r.word(name, otherwise)
	_, port, err := net.SplitHostPort(text)
	if number, numberErr := strconv.Atoi(port); err != nil || numberErr != nil || number < 1 || number > 65535 {
		r.complain(name, fmt.Sprintf("is %q: it must be host:port, such as 127.0.0.1:4318 or [::]:4318", text))
	}
}

// address gives a target's address without a trailing slash. A faulty one is not repeated in the
// complaint: people put passwords into addresses.
func (r *reader) address(name, otherwise string) string {
	text := strings.TrimRight(r.word(name, otherwise), "/")
	if text == "" {
		return ""
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https"):
		r.complain(name, "is not an address: it must begin with http:// or https:// and name a host")
	case parsed.User != nil:
		r.complain(name, "holds a user or a password: those have settings of their own, since addresses are logged")
	case parsed.RawQuery != "" || parsed.Fragment != "":
		r.complain(name, "holds '?' or '#': it must end with the path")
	}
	return text
}

func (r *reader) required(name, value, why string) {
	if value == "" {
		r.complain(name, "is missing: "+why)
	}
}

// credential checks one half of a basic authentication; the value is never shown.
func (r *reader) credential(name, why string) string {
	value := r.word(name, "")
	r.required(name, value, why)
	if strings.ContainsAny(value, " \t\r\n\"'") {
		r.complain(name, "holds a blank or a quotation mark: it must be the bare value")
	}
	return value
}

// encrypted refuses an address to which a token would travel in the clear.
func (r *reader) encrypted(name, address string) {
	parsed, err := url.Parse(address)
	if err == nil && parsed.Scheme == "http" && !isLoopback(parsed.Hostname()) {
		r.complain(name, "begins with http://: it must be https://, or the token could be read on the way")
	}
}

// secrets gives what is separated by commas, each of it long enough not to be guessed.
func (r *reader) secrets(name string) []string {
	var found []string
	for _, one := range strings.Split(r.word(name, ""), ",") {
		one = strings.TrimSpace(one)
		switch {
		case one == "":
		case len(one) < shortestSecret || !plainSecret.MatchString(one):
			r.complain(name, fmt.Sprintf("must be made of letters, digits and -._~+/= only, at least %d of them", shortestSecret))
		default:
			found = append(found, one)
		}
	}
	return found
}

func isLoopback(host string) bool {
	if address := net.ParseIP(host); address != nil {
		return address.IsLoopback()
	}
	return host == "localhost"
}

// literal keeps a '$' from being read as the configuration language's.
func literal(value string) string { return strings.ReplaceAll(value, "$", "$$") }
