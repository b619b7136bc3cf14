//! Why a call of the API failed, and what to do about it, in Spanish. Words of the system and of libraries stay as they
//! are where they are quoted: that is what can be searched for.

use std::io::ErrorKind;

use http::StatusCode;
use humantime::format_duration;

use crate::api::credentials::{Origin, SecretError};
use crate::api::stream::FrameError;
use crate::api::{Advice, Cause, CertificateProblem, Malformation, ProxyProblem, SystemError, TlsProblem};

/// Why a call failed, as a part of a sentence.
pub(super) fn cause(cause: &Cause) -> String {
    match cause {
        Cause::TimedOut(None) => "no hubo una respuesta completa a tiempo".into(),
        Cause::TimedOut(Some(after)) => format!("no hubo una respuesta completa en {}", format_duration(*after)),
        Cause::TooLarge(limit) => format!("la respuesta tiene más de {limit} bytes"),
        Cause::Paused(left) => {
            format!("límite de llamadas: las llamadas a la API quedan en pausa por otros {}", format_duration(*left))
        }
        Cause::LoginRefusedBefore => "el inicio de sesión fue rechazado hace poco y aún no se reintenta".into(),
        Cause::InLogin(inner) => format!("falló el inicio de sesión: {}", self::cause(inner)),
        Cause::About(webhook, inner) => format!("webhook {webhook}: {}", self::cause(inner)),
        Cause::Secret(error) => secret(error),
        Cause::Status(status) => format!("la API respondió {}: {}", status.as_u16(), meaning(*status)),
        Cause::Intercepted(status) => {
            format!("algo delante de la API respondió {} con una página web, no con JSON", status.as_u16())
        }
        Cause::Malformed(malformation) => malformed(malformation),
        Cause::Tls(problem) => format!("no se pudo conectar por TLS: {}", tls(problem)),
        Cause::HandshakeBrokenOff => "el servidor cerró la conexión durante el handshake TLS".into(),
        Cause::Connection(error) => format!("falló la conexión: {}", system(error)),
        Cause::Proxy(problem) => proxy(*problem).into(),
        Cause::Dns => "el nombre de host de la API no se resuelve (DNS)".into(),
        Cause::NotConnected => "no se pudo conectar".into(),
        Cause::BrokenOff => "la conexión se cortó antes de que terminara la respuesta".into(),
    }
}

fn meaning(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "el token o el inicio de sesión es incorrecto o expiró",
        StatusCode::FORBIDDEN => "el token no tiene el permiso",
        StatusCode::NOT_FOUND => "no existe ese webhook, o no hay una API de Cotalker en esta URL",
        StatusCode::TOO_MANY_REQUESTS => "demasiadas llamadas",
        _ if status.is_redirection() => "una redirección; las redirecciones no se siguen",
        _ if status.is_server_error() => "la API tiene un problema interno",
        _ => "un status inesperado",
    }
}

fn secret(error: &SecretError) -> String {
    match error {
        SecretError::Unreadable { path, error } => format!("{}: {}", path.display(), system(error)),
        SecretError::Empty(from) => format!("{} no contiene nada", origin(from)),
        SecretError::Unusable(from) => {
            format!("{} contiene un salto de línea u otro carácter que un token no puede tener", origin(from))
        }
    }
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Variable(name) => (*name).to_owned(),
        Origin::File(path) => path.display().to_string(),
        Origin::Login => "el token del inicio de sesión".into(),
    }
}

fn malformed(malformation: &Malformation) -> String {
    let words = match malformation {
        Malformation::Wrapped(key) => {
            return format!("la respuesta es un objeto que envuelve un arreglo en \"{key}\", no un arreglo");
        }
        Malformation::WebPage => "la respuesta es una página web, no JSON",
        Malformation::Empty => "la respuesta está vacía",
        Malformation::Framing(FrameError::NotAnArray) => "la respuesta no es un arreglo JSON",
        Malformation::Framing(FrameError::BrokenOff) => "la respuesta termina dentro de su arreglo JSON",
        Malformation::Framing(FrameError::Broken) => "el arreglo JSON de la respuesta está mal formado",
        Malformation::AnotherWebhook => "la respuesta describe otro webhook",
        Malformation::NoWebhook => "la respuesta no es un webhook",
        Malformation::NoToken => "la respuesta no tiene un token",
        Malformation::LongerThanAnObject => "la respuesta es mucho más grande que un objeto",
        Malformation::UnknownEncoding => "la respuesta tiene un Content-Encoding que no se pidió",
        Malformation::TooManyEncodings => "la respuesta está comprimida demasiadas veces",
        Malformation::Compression => "no se pudo descomprimir la respuesta",
        Malformation::NotHttp => "la respuesta no es HTTP",
        Malformation::NothingToCompare => "304 sin un If-None-Match",
    };
    words.to_owned()
}

fn tls(problem: &TlsProblem) -> String {
    let words = match problem {
        TlsProblem::Certificate(problem) => return format!("el certificado de la API {}", certificate(problem)),
        TlsProblem::NothingInCommon(details) => {
            return format!("la API y el exporter no tienen en común una versión de TLS o un cifrado ({details})");
        }
        TlsProblem::Alert(name) => return format!("el servidor rechazó la conexión: alerta TLS {name}"),
        TlsProblem::RulesBroken(details) => {
            return format!("el servidor, o algo delante de él, violó el protocolo TLS ({details})");
        }
        TlsProblem::Rare(details) => details,
        TlsProblem::NoTls => "el servidor no habla TLS en este puerto",
        TlsProblem::ClientCertificateRequired => {
            "el servidor rechazó la conexión: exige un certificado de cliente, que el exporter no tiene"
        }
        TlsProblem::UnknownName => "el servidor rechazó la conexión: no conoce este nombre de host",
        TlsProblem::AccessDenied => "el servidor rechazó la conexión: acceso denegado",
        TlsProblem::InternalError => "el servidor rechazó la conexión: tiene un problema interno",
        TlsProblem::NoCertificate => "el servidor no envió un certificado",
    };
    words.to_owned()
}

fn certificate(problem: &CertificateProblem) -> String {
    let words = match problem {
        CertificateProblem::Rare(details) => return format!("no es válido: {details}"),
        CertificateProblem::UnknownCa => "está firmado por una CA en la que aquí no se confía",
        CertificateProblem::Expired => "está vencido, o el reloj de esta máquina está mal",
        CertificateProblem::NotValidYet => "aún no es válido, o el reloj de esta máquina está mal",
        CertificateProblem::OtherName => "es para otro nombre de host",
        CertificateProblem::Revoked => "fue revocado",
        CertificateProblem::Unreadable => "no se puede leer",
        CertificateProblem::BadSignature => "tiene una firma inválida",
        CertificateProblem::OtherPurpose => "no es para servidores",
    };
    words.to_owned()
}

/// The usual kinds in Spanish, with the system's own words behind them.
#[expect(clippy::wildcard_enum_match_arm, reason = "the system's own text does for the many rare kinds")]
fn system(error: &SystemError) -> String {
    let words = match error.kind {
        ErrorKind::NotFound => "no existe",
        ErrorKind::PermissionDenied => "permiso denegado",
        ErrorKind::ConnectionRefused => "conexión rechazada",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => "conexión cortada",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "sin ruta de red",
        ErrorKind::TimedOut => "tiempo agotado",
        _ => return error.text.clone(),
    };
    format!("{words} ({})", error.text)
}

const fn proxy(problem: ProxyProblem) -> &'static str {
    match problem {
        ProxyProblem::Login => "el proxy respondió 407: necesita credenciales, o rechaza las que recibió",
        ProxyProblem::Refused => "el proxy se negó a conectar con la API (CONNECT)",
        ProxyProblem::Closed => "el proxy cerró la conexión en lugar de conectar con la API (CONNECT)",
        ProxyProblem::Strange => "el proxy no responde como un proxy (CONNECT)",
    }
}

/// What to do about it.
pub(super) const fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::Credentials => {
            "Indicar un token válido en --cotalker.token-file o COTALKER_TOKEN, o revisar --cotalker.email y --cotalker.password-file."
        }
        Advice::Permissions => {
            "Pedir a un administrador un token que pueda leer webhooks, probar --cotalker.admin o --cotalker.company, o monitorear webhooks elegidos con --webhook.id."
        }
        Advice::UrlAndIds => "Revisar --cotalker.base-url y, si se usan, los ids de --webhook.id.",
        Advice::FewerCalls => {
            "Bajar --poll.rate o subir --poll.interval; todos los clientes de la cuenta comparten el límite."
        }
        Advice::UrlOrWait => {
            "Revisar --cotalker.base-url; si es correcta, la API tiene un problema: reintentar más tarde."
        }
        Advice::NetworkOrTimeout => {
            "Revisar que la red permita llegar desde esta máquina a --cotalker.base-url, o subir --cotalker.timeout."
        }
        Advice::HostAndNetwork => "Revisar el nombre de host en --cotalker.base-url, la red y el proxy (HTTPS_PROXY).",
        Advice::TrustedCas => {
            "Revisar --cotalker.base-url; detrás de un proxy que descifra TLS, indicar la CA del proxy en --cotalker.ca-file."
        }
        Advice::ResponseSize => "Subir --cotalker.max-response-size.",
        Advice::OtherApi => "Revisar --cotalker.base-url: la API de Cotalker no responde así.",
        Advice::Proxy => {
            "Revisar HTTPS_PROXY, con usuario y contraseña si el proxy los exige (http://user:password@host:port), o excluir el host de la API con NO_PROXY."
        }
        Advice::Intercepted => {
            "Revisar --cotalker.base-url y el proxy, firewall o página de inicio de sesión entre esta máquina y la API; el token puede estar bien."
        }
    }
}
