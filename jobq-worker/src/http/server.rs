//! The little of HTTP that probes and Prometheus need: GET and HEAD of three paths.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::judge::{health, readiness};
use super::probe::Probes;
use crate::exposition::{families, text};

/// Connections at the same time; further ones wait.
const CONNECTIONS: usize = 32;

/// How long a client may take for a request, or say nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may last: a client that does not read keeps no place for itself.
const LASTS: Duration = Duration::from_secs(30);

/// The longest head of a request, in bytes.
const HEAD: usize = 16 * 1024;

/// How long to wait where the system has no further connection.
const PAUSE: Duration = Duration::from_millis(100);

const PLAIN: &str = "text/plain; charset=utf-8";

pub(super) async fn run(
    listener: std::net::TcpListener,
    probes: &Arc<Probes>,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = places.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let probes = probes.clone();
                tokio::spawn(async move {
                    serve(stream, probes).await;
                    drop(place);
                });
            }
            // One that was given up, or too many files: the next may do better.
            Err(error) => {
                tracing::debug!(%error, "could not accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, probes: Arc<Probes>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(&probes, request.method(), request.uri().path());
        std::future::ready(Ok::<_, Infallible>(answer))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(LASTS, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection of HTTP failed"),
        Err(_) => tracing::debug!("a connection of HTTP lasted too long"),
    }
}

fn answer(probes: &Probes, method: &Method, path: &str) -> Response<Full<Bytes>> {
    let judged = match path {
        "/healthz" => health(&probes.facts()).map(|()| "alive"),
        "/readyz" => readiness(&probes.facts()).map(|()| "ready"),
        "/metrics" if is_read(method) => {
            let text = text::render(families(&probes.shared));
            return response(StatusCode::OK, text::CONTENT_TYPE, text);
        }
        "/metrics" => Ok(""),
        _ => {
            let known = "not found; there are /healthz, /readyz, /metrics\n";
            return response(StatusCode::NOT_FOUND, PLAIN, known.to_owned());
        }
    };
    if !is_read(method) {
        let text = "expected GET or HEAD\n".to_owned();
        let mut refusal = response(StatusCode::METHOD_NOT_ALLOWED, PLAIN, text);
        let allowed = HeaderValue::from_static("GET, HEAD");
        refusal.headers_mut().insert(ALLOW, allowed);
        return refusal;
    }
    match judged {
        Ok(well) => response(StatusCode::OK, PLAIN, format!("{well}\n")),
        Err(why) => response(StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("{why}\n")),
    }
}

fn is_read(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

fn response(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // What was true a moment ago helps nobody.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
