//! The page, `/avocet.json` and `/health`, over plain HTTP/1.1.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use serde::Serialize;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tower_http::{
    limit::RequestBodyLimitLayer, services::ServeDir, timeout::TimeoutLayer, trace::TraceLayer,
};
use tracing::{debug, warn};

use crate::{
    addresses::{Addresses, Host},
    limits,
    stop::Stopped,
};

/// What the page may do. Its own scripts only, and no inline ones (the worker of its store comes as a
/// blob, which only such a script can make); it opens sockets to relays and
/// asks gateways that the user names; it shows pictures and plays what it has fetched as blobs.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; \
    connect-src 'self' ws: wss: http: https:; worker-src 'self' blob:; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where the answers come from.
#[derive(Debug, Clone)]
pub struct Site {
    /// The folder of the built page.
    pub www: PathBuf,
    /// The relay's addresses.
    pub addresses: Addresses,
    /// `--ice-server`.
    pub ice_servers: Vec<String>,
}

/// The network options of `createPeer`, as the JavaScript contract names them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NetworkOptions {
    relays: Vec<String>,
    bootstrap: Vec<String>,
    routers: Vec<String>,
    gateways: Vec<String>,
    ice_servers: Vec<IceServer>,
}

/// One of `RTCConfiguration.iceServers`.
#[derive(Serialize)]
struct IceServer {
    urls: String,
}

/// Answers on `listener` until `stopped` is told; then lets answers under way end, briefly.
pub async fn serve(listener: TcpListener, site: Site, mut stopped: Stopped) {
    let router = router(site);
    let places = Arc::new(Semaphore::new(limits::VISITORS));
    let mut visits = JoinSet::new();
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped.wait() => break,
        };
        while visits.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let visit = visit(stream, router.clone(), stopped.clone());
                visits.spawn(async move {
                    visit.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of open files, most likely: others must end first.
                warn!(%error, "cannot accept a visitor");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    while visits.join_next().await.is_some() {}
}

async fn visit(stream: TcpStream, router: Router, mut stopped: Stopped) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::REQUEST_HEAD)
        .max_buf_size(limits::REQUEST_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped.wait() => {
            connection.as_mut().graceful_shutdown();
            timeout(limits::FAREWELL, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%error, "visitor");
    }
}

fn router(site: Site) -> Router {
    let files = ServeDir::new(&site.www).precompressed_gzip();
    Router::new()
        .route("/health", get(|| async { "ok\n" }))
        .route("/avocet.json", get(network_options))
        .fallback_service(files)
        .layer(middleware::from_fn_with_state(site.clone(), explain_missing_page))
        .layer(middleware::from_fn(add_headers))
        .layer(RequestBodyLimitLayer::new(limits::REQUEST_BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits::ANSWER))
        .layer(TraceLayer::new_for_http())
        .with_state(site)
}

async fn network_options(State(site): State<Site>, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let Some(host) = host.and_then(Host::from_header) else {
        return (StatusCode::BAD_REQUEST, "the Host header names no host\n").into_response();
    };
    let relays: Vec<_> = site.addresses.relays(&host).iter().map(ToString::to_string).collect();
    let options = NetworkOptions {
        // The relay is the DHT's way in as well.
        bootstrap: relays.clone(),
        relays,
        routers: Vec::new(),
        gateways: Vec::new(),
        ice_servers: site.ice_servers.into_iter().map(|urls| IceServer { urls }).collect(),
    };
    // Pages served from elsewhere may use this relay: what is said here is public.
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(options)).into_response()
}

/// A folder without a page gets an explanation where the page would be.
async fn explain_missing_page(State(site): State<Site>, request: Request, next: Next) -> Response {
    let asks_for_page = matches!(request.uri().path(), "/" | "/index.html");
    let response = next.run(request).await;
    if !asks_for_page || response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    warn!(www = %site.www.display(), "the page has not been built");
    let text = "<!doctype html><html lang=en><meta charset=utf-8><title>Avocet</title>\
        <h1>The page has not been built</h1><p>The relay is running, but the folder that it serves \
        holds no page. Run <code>npm run build</code>, or name the folder with \
        <code>--www</code>, and load this again.";
    (StatusCode::SERVICE_UNAVAILABLE, Html(text)).into_response()
}

async fn add_headers(request: Request, next: Next) -> Response {
    let cache = cache_rule(request.uri());
    let mut response = next.run(request).await;
    let cache = if response.status().is_success() { cache } else { "no-store" };
    for (name, value) in [
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A name with a hash of its content in it never changes; all else is asked for again each time.
fn cache_rule(uri: &Uri) -> &'static str {
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    let is_hash = |part: &str| part.len() >= 16 && part.bytes().all(|b| b.is_ascii_hexdigit());
    if name.split('.').any(is_hash) {
        "public, max-age=31536000, immutable"
    } else if name == "avocet.json" {
        "no-store"
    } else {
        "no-cache"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_good() {
        let rule = |path: &str| cache_rule(&path.parse().unwrap());
        assert!(rule("/app.0123456789abcdef.js").contains("immutable"));
        assert!(rule("/wasm/0123456789abcdef0123.wasm").contains("immutable"));
        for path in
            ["/", "/index.html", "/sw.js", "/app.js", "/0123456789abcdef.0/x.js", "/cafe.js"]
        {
            assert_eq!(rule(path), "no-cache", "{path}");
        }
        assert_eq!(rule("/avocet.json"), "no-store");
    }

    #[test]
    fn the_policy_allows_nothing_inline() {
        assert!(!POLICY.contains("unsafe-inline") && !POLICY.contains("'unsafe-eval'"));
        assert!(HeaderValue::from_static(POLICY).to_str().is_ok());
    }
}
