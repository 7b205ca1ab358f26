//! HTTP requests to the hub: timeouts, certificates, proxies, redirects and the access token.

use super::address::{Origin, redirect_target};
use super::names::quoted;
use super::settings::Settings;
use crate::Error;
use std::cell::Cell;
use std::io::ErrorKind;
use std::time::Duration;
use ureq::http::{HeaderMap, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, Timeout};

/// Maximum number of redirects of a request.
const REDIRECTS_MAX: usize = 10;
const NOTHING_KEPT: &str = "The response was discarded. Check HF_ENDPOINT and proxies";

/// A response whose body has not been read.
pub(super) type Response = ureq::http::Response<Body>;

/// The failure of a request.
#[derive(Debug)]
pub(super) enum Failure {
    /// An HTTP error status; with the host if it is not the hub.
    Status { status: u16, elsewhere: Option<String> },
    /// No connection.
    Unreachable(String),
    /// The transfer was interrupted; another attempt may succeed.
    Broken(String),
    /// The transfer failed, and another attempt will fail too.
    Hopeless { reason: String, hint: &'static str },
    /// The response is invalid.
    Refused { wanted: String, found: String, hint: &'static str },
    /// An error of the local disk, or a setting.
    Local(Error),
}

impl Failure {
    pub(super) fn refused(wanted: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Refused { wanted: wanted.into(), found: found.into(), hint: NOTHING_KEPT }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Local(error)
    }
}

/// The result of following redirects.
pub(super) enum Walked {
    /// A response.
    Arrived(Box<Response>),
    /// A redirect to an address outside the hub, which was not requested.
    Leaves(Uri),
}

/// Sends requests to the hub and to the targets of its redirects.
pub(super) struct Client {
    /// Uses the proxy of the environment.
    agent: Agent,
    /// Uses no proxy, for the local machine.
    direct: Agent,
    hub: Origin,
    /// `None` without a token, or if it must not be sent to the hub's address.
    authorization: Option<String>,
    connect_timeout: Duration,
    stall_timeout: Duration,
    /// Whether any response has been received.
    is_reached: Cell<bool>,
}

impl Client {
    /// Creates a client.
    ///
    /// # Errors
    /// [`Error::HubSetting`] for an invalid token or invalid certificates.
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let token = settings.token.as_ref().filter(|_| settings.origin.is_confidential());
        if token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            let found = "a text with spaces or other characters that are invalid in a token".into();
            return Err(Error::HubSetting { setting: "HF_TOKEN", wanted: "an access token", found });
        }
        let config = || -> Result<_, Error> {
            let tls = TlsConfig::builder().root_certs(root_certificates(&settings.origin)?).build();
            Ok(Agent::config_builder()
                .tls_config(tls)
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .user_agent(concat!("bertlab/", env!("CARGO_PKG_VERSION")))
                .accept_encoding("identity")
                .timeout_resolve(Some(settings.connect_timeout))
                .timeout_connect(Some(settings.connect_timeout))
                .timeout_send_request(Some(settings.stall_timeout))
                .timeout_recv_response(Some(settings.stall_timeout))
                .timeout_per_read(Some(settings.stall_timeout)))
        };
        Ok(Self {
            agent: config()?.build().into(),
            direct: config()?.proxy(None).build().into(),
            hub: settings.origin.clone(),
            authorization: token.map(|token| format!("Bearer {token}")),
            connect_timeout: settings.connect_timeout,
            stall_timeout: settings.stall_timeout,
            is_reached: Cell::new(false),
        })
    }

    /// Whether any response has been received.
    pub(super) fn is_reached(&self) -> bool {
        self.is_reached.get()
    }

    /// Whether an address belongs to the hub.
    pub(super) fn is_hub(&self, address: &Uri) -> bool {
        Origin::of(address).is_some_and(|origin| origin == self.hub)
    }

    /// Requests an address from byte `from` on and follows all redirects.
    pub(super) fn get(&self, address: &Uri, from: u64) -> Result<Response, Failure> {
        match self.walk(address, from, false, &mut |_, _| ())? {
            Walked::Arrived(response) => Ok(*response),
            Walked::Leaves(_) => unreachable!("all redirects are followed"),
        }
    }

    /// Requests an address from byte `from` on and follows redirects; with `stays`, only within the hub.
    /// `look` receives the headers of each response.
    pub(super) fn walk(
        &self,
        start: &Uri,
        from: u64,
        stays: bool,
        look: &mut dyn FnMut(&Uri, &HeaderMap),
    ) -> Result<Walked, Failure> {
        let mut address = start.clone();
        for _ in 0..=REDIRECTS_MAX {
            let response = self.request(&address, from)?;
            let status = response.status();
            if status.is_success() {
                look(&address, response.headers());
                return Ok(Walked::Arrived(Box::new(response)));
            }
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                let elsewhere = (!self.is_hub(&address)).then(|| host_of(&address));
                return Err(Failure::Status { status: status.as_u16(), elsewhere });
            }
            look(&address, response.headers());
            address = next_address(&address, response.headers())?;
            if stays && !self.is_hub(&address) {
                return Ok(Walked::Leaves(address));
            }
        }
        Err(Failure::refused("a file", format!("more than {REDIRECTS_MAX} redirects")))
    }

    /// Sends one request. The access token is only sent to the hub.
    fn request(&self, address: &Uri, from: u64) -> Result<Response, Failure> {
        let origin = Origin::of(address);
        let agent = if origin.as_ref().is_some_and(Origin::is_loopback) { &self.direct } else { &self.agent };
        let mut request = agent.get(address.clone());
        if let Some(authorization) = self.authorization.as_ref().filter(|_| origin == Some(self.hub.clone()))
        {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let response = request.call().map_err(|error| self.failure(error, address, agent))?;
        self.is_reached.set(true);
        Ok(response)
    }

    /// The failure of reading a body.
    pub(super) fn read_failure(&self, error: std::io::Error, address: &Uri) -> Failure {
        let host = host_of(address);
        match ureq::Error::from(error) {
            ureq::Error::Timeout(_) => Failure::Broken(self.stalled(&host)),
            ureq::Error::Io(error) => Failure::Broken(format!("the connection to {host} broke: {error}")),
            error => Failure::Broken(format!("{host}: {error}")),
        }
    }

    fn stalled(&self, host: &str) -> String {
        format!("{host} sent nothing for {} s", self.stall_timeout.as_secs_f64())
    }

    /// The failure of a request without a response.
    fn failure(&self, error: ureq::Error, address: &Uri, agent: &Agent) -> Failure {
        let mut host = host_of(address);
        if let Some(proxy) = agent.config().proxy().filter(|proxy| !proxy.is_no_proxy(address)) {
            host = format!("{host} (through the proxy {})", proxy.host());
        }
        use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        match error {
            ureq::Error::HostNotFound => Failure::Unreachable(format!("the host {host} was not found")),
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                let seconds = self.connect_timeout.as_secs_f64();
                Failure::Unreachable(format!("no connection to {host} within {seconds} s"))
            }
            ureq::Error::Timeout(_) => Failure::Broken(self.stalled(&host)),
            ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => not_trusted(&host, &error),
            ureq::Error::Rustls(error) => not_trusted(&host, &error),
            ureq::Error::Io(error) => match error.kind() {
                BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => {
                    Failure::Broken(format!("the connection to {host} broke: {error}"))
                }
                _ => Failure::Unreachable(format!("{host}: {error}")),
            },
            ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) => {
                Failure::Unreachable(format!("{host}: {error}"))
            }
            error => Failure::Broken(format!("{host}: {error}")),
        }
    }
}

fn not_trusted(host: &str, error: &dyn std::fmt::Display) -> Failure {
    let hint = "If a proxy or a mirror has its own certificate, add its root certificate to those of the \
        system, or set SSL_CERT_FILE to its file";
    Failure::Hopeless { reason: format!("no trusted connection to {host}: {error}"), hint }
}

fn next_address(address: &Uri, headers: &HeaderMap) -> Result<Uri, Failure> {
    let wanted = "an http or https address as the target of a redirect";
    let location = headers.get(header::LOCATION).ok_or_else(|| Failure::refused(wanted, "no target"))?;
    let location = String::from_utf8_lossy(location.as_bytes());
    let target = redirect_target(address, &location)
        .ok_or_else(|| Failure::refused(wanted, format!("a redirect to {}", quoted(&location))))?;
    let is_secure = |address: &Uri| Origin::of(address).is_some_and(|origin| origin.is_https());
    if is_secure(address) && !is_secure(&target) {
        return Err(Failure::refused(
            "a redirect from https to https",
            format!("a redirect to http at {}", host_of(&target)),
        ));
    }
    Ok(target)
}

fn host_of(address: &Uri) -> String {
    Origin::of(address).map_or_else(|| "the hub".into(), |origin| origin.host().to_owned())
}

/// The root certificates of the system, or bundled ones if the system has none.
fn root_certificates(hub: &Origin) -> Result<RootCerts, Error> {
    let certificates = rustls_native_certs::load_native_certs().certs;
    if !certificates.is_empty() {
        let owned = certificates.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
        return Ok(RootCerts::from(owned));
    }
    let given = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(|name| std::env::var_os(name).is_some());
    match given.filter(|_| hub.is_https()) {
        None => Ok(RootCerts::WebPki),
        Some(setting) => {
            let found = "a path without readable certificates".into();
            Err(Error::HubSetting { setting, wanted: "root certificates in the PEM format", found })
        }
    }
}
