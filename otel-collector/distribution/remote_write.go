package main

import "regexp"

// plainTenant is what Cortex and Mimir let a tenant's id be made of.
var plainTenant = regexp.MustCompile(`^[A-Za-z0-9!_.*'()-]{1,150}$`)

// writeTarget is a store that takes Prometheus remote-write: any, or Grafana Cloud's.
type writeTarget struct {
	address  string
	user     string // with a password: basic authentication
	password string
	token    string // bearer token
	tenant   string // header X-Scope-OrgID
	named    string // the variables that hold the credentials, for the log
}

// readStore reads the store of the route `remote-write`.
func readStore(r *reader) writeTarget {
	w := writeTarget{
		address: r.address("REMOTE_WRITE_URL", ""),
		tenant:  r.word("REMOTE_WRITE_TENANT", ""),
		named:   "REMOTE_WRITE_USERNAME and REMOTE_WRITE_PASSWORD, or REMOTE_WRITE_BEARER_TOKEN",
	}
	r.required("REMOTE_WRITE_URL", w.address, `the route "remote-write" needs the store's remote-write address`)
	if w.tenant != "" && !plainTenant.MatchString(w.tenant) {
		r.complain("REMOTE_WRITE_TENANT", "must be made of letters, digits and !-_.*'() only, at most 150 of them")
	}
	w.readCredentials(r)
	return w
}

// readCredentials takes a user with a password, or a bearer token, or neither.
func (w *writeTarget) readCredentials(r *reader) {
	user, password := r.word("REMOTE_WRITE_USERNAME", ""), r.word("REMOTE_WRITE_PASSWORD", "")
	w.token = r.word("REMOTE_WRITE_BEARER_TOKEN", "")
	switch {
	case w.token != "" && user+password != "":
		r.complain("REMOTE_WRITE_BEARER_TOKEN", "is set beside REMOTE_WRITE_USERNAME or REMOTE_WRITE_PASSWORD:"+
			" a request has one kind of credentials, so set either the token or the other two")
	case w.token != "" && !plainSecret.MatchString(w.token):
		r.complain("REMOTE_WRITE_BEARER_TOKEN", "must be made of letters, digits and -._~+/= only")
	case user+password != "":
		w.user = r.credential("REMOTE_WRITE_USERNAME", "REMOTE_WRITE_PASSWORD is set, and basic authentication needs both")
		w.password = r.credential("REMOTE_WRITE_PASSWORD", "REMOTE_WRITE_USERNAME is set, and basic authentication needs both")
	}
	if w.token+user+password != "" {
		r.encrypted("REMOTE_WRITE_URL", w.address)
	}
}

// readCloudWrite reads Grafana Cloud as a store that takes remote-write.
func readCloudWrite(r *reader, token, why string) writeTarget {
	w := writeTarget{
		address:  r.address("GRAFANA_CLOUD_PROM_URL", ""),
		password: token,
		named:    "GRAFANA_CLOUD_TOKEN and GRAFANA_CLOUD_PROM_ID",
	}
	r.required("GRAFANA_CLOUD_PROM_URL", w.address, why)
	r.encrypted("GRAFANA_CLOUD_PROM_URL", w.address)
	w.user = r.credential("GRAFANA_CLOUD_PROM_ID", why)
	return w
}

// addTo puts the queue, the exporter, its credentials and its tenant on the route.
func (w writeTarget) addTo(r *route) {
	r.add("remote-write.yaml", "credential_refusal/remote_write", "otlp_http/remote_write", "")
	if w.user != "" {
		r.add("remote-write-basic.yaml", "basicauth/remote_write", "", "")
	}
	if w.token != "" {
		r.add("remote-write-bearer.yaml", "bearertokenauth/remote_write", "", "")
	}
	if w.tenant != "" {
		r.add("remote-write-tenant.yaml", "", "", "")
	}
}

// words are what the files of addTo read.
func (w writeTarget) words() map[string]string {
	return map[string]string{
		"REMOTE_WRITE_URL":          w.address,
		"REMOTE_WRITE_USERNAME":     literal(w.user),
		"REMOTE_WRITE_PASSWORD":     literal(w.password),
		"REMOTE_WRITE_BEARER_TOKEN": literal(w.token),
		"REMOTE_WRITE_TENANT":       literal(w.tenant),
		"REMOTE_WRITE_CREDENTIALS":  w.named,
	}
}
