//! Spanish as an SRE in Latin America writes it: no form of address, and infinitives for what to do.

use delivery_ledger::{FailureReason, Retention};

use super::grouping::{grouped, uncapitalised};
use super::labels::Labels;
use super::span::Span;
use super::spanish_api;
use super::vocabulary::{Calm, Headline, Summary, Troubles, Words};
use crate::api::{Advice, Cause};
use crate::webhook_state::WebhookState;

/// Between groups of digits. Chile writes 12.345 where Mexico writes 12,345; the thin space is right in both. Source:
/// Real Academia Española, "Ortografía", which also says that four digits stay together.
const SEPARATOR: char = '\u{202f}';

/// Spanish.
#[derive(Debug)]
pub(super) struct Spanish;

/// `1 evento`, `12 345 eventos`: a noun whose plural ends in `s`.
fn plural(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", Spanish.number(number), if number == 1 { "" } else { "s" })
}

const fn one<'a>(number: u64, one: &'a str, many: &'a str) -> &'a str {
    if number == 1 { one } else { many }
}

fn summary(summary: &Summary) -> String {
    match summary {
        Summary::Trouble(troubles) => trouble(troubles),
        Summary::Calm(calm) => calm_words(calm),
    }
}

fn trouble(troubles: &Troubles) -> String {
    let Troubles { all, broken, blocked, failing, unreadable, stale, lost_events } = *troubles;
    let events = one(lost_events, "evento perdido", "eventos perdidos");
    let logs = one(unreadable, "log inaccesible", "logs inaccesibles");
    let parts: Vec<String> = [
        (blocked, plural(blocked, "bloqueado")),
        (failing, format!("{} fallando", Spanish.number(failing))),
        (lost_events, format!("{} {events}", Spanish.number(lost_events))),
        (unreadable, format!("{} {logs}", Spanish.number(unreadable))),
        (stale, plural(stale, "desactualizado")),
    ]
    .into_iter()
    .filter_map(|(number, text)| (number > 0).then_some(text))
    .collect();
    let of = Spanish.number(all);
    let subject = match (broken, all) {
        (1, 1) => String::from("El webhook requiere"),
        (_, _) if broken == all => format!("Los {of} webhooks requieren"),
        (1, _) => format!("1 de {of} webhooks requiere"),
        (_, _) => format!("{} de {of} webhooks requieren", Spanish.number(broken)),
    };
    format!("{subject} atención: {}", parts.join(", "))
}

fn calm_words(calm: &Calm) -> String {
    let Calm { healthy, unread, inactive } = *calm;
    let number = |number| Spanish.number(number);
    let mut text = match (healthy, unread) {
        (0, 0) if inactive == 1 => return String::from("El webhook está desactivado"),
        (0, 0) => return format!("Los {} webhooks están desactivados", number(inactive)),
        (0, _) => format!("{} aún sin leer", plural(unread, "webhook")),
        (1, 0) => String::from(if inactive == 0 { "El webhook entrega" } else { "El webhook activo entrega" }),
        (_, 0) if inactive == 0 => format!("Los {} webhooks entregan", number(healthy)),
        (_, 0) => format!("Los {} webhooks activos entregan", number(healthy)),
        (1, _) => format!("1 webhook entrega, {} aún sin leer", number(unread)),
        (_, _) => format!("{} webhooks entregan, {} aún sin leer", number(healthy), number(unread)),
    };
    if inactive > 0 {
        text.push_str(&format!(", {}", plural(inactive, "desactivado")));
    }
    text
}

impl Words for Spanish {
    fn labels(&self) -> &'static Labels {
        &LABELS
    }

    fn number(&self, number: u64) -> String {
        grouped(number, SEPARATOR, 5)
    }

    fn span(&self, span: Span) -> String {
        match span {
            Span::Seconds(seconds) => format!("{seconds} s"),
            Span::Minutes(minutes) => plural(minutes, "minuto"),
            Span::Hours(hours) => plural(hours, "hora"),
            Span::Days(days) => plural(days, "día"),
        }
    }

    fn ago(&self, millis: i64) -> String {
        if Span::is_now(millis) {
            return String::from("hace un instante");
        }
        format!("hace {}", self.span(Span::of_millis(millis)))
    }

    fn every(&self, millis: i64) -> String {
        let span = self.span(Span::of_millis(millis));
        format!("cada {}", span.strip_prefix("1 ").unwrap_or(&span))
    }

    fn webhooks(&self, number: u64) -> String {
        plural(number, "webhook")
    }

    fn state(&self, state: WebhookState) -> &'static str {
        match state {
            WebhookState::Blocked => "bloqueado",
            WebhookState::Failing => "fallando",
            WebhookState::Lost => "eventos perdidos",
            WebhookState::Unreadable => "log inaccesible",
            WebhookState::Stale => "desactualizado",
            WebhookState::Unread => "aún sin leer",
            WebhookState::Inactive => "desactivado",
            WebhookState::Healthy => "entregando",
        }
    }

    fn section(&self, state: WebhookState) -> &'static str {
        match state {
            WebhookState::Blocked => "Bloqueados",
            WebhookState::Failing => "Fallando",
            WebhookState::Lost => "Con eventos perdidos",
            WebhookState::Unreadable => "No se pueden leer ahora",
            WebhookState::Stale => "Desactualizados",
            WebhookState::Unread => "Aún sin leer",
            WebhookState::Inactive => "Desactivados",
            WebhookState::Healthy => "Entregando",
        }
    }

    fn headline(&self, headline: &Headline) -> String {
        match headline {
            Headline::FirstPoll => String::from("La primera consulta sigue en curso"),
            Headline::NoWebhooks => String::from("No hay webhooks que monitorear"),
            Headline::NoData => String::from("No se puede leer la API de Cotalker y aún no hay datos"),
            Headline::Known(known) => summary(known),
            Headline::LastKnown(known) => {
                let known = uncapitalised(&summary(known));
                format!("No se puede leer la API de Cotalker. Último estado conocido: {known}")
            }
        }
    }

    fn why(&self, reason: FailureReason, status: Option<u16>) -> String {
        let words = match (reason, status) {
            (FailureReason::Http3xx, Some(status)) => {
                return format!("el receptor respondió {status}, una redirección que Cotalker no sigue");
            }
            (FailureReason::Http4xx, Some(status)) => return format!("el receptor rechazó el evento con {status}"),
            (FailureReason::Http5xx | FailureReason::Other, Some(status)) => {
                return format!("el receptor respondió {status}");
            }
            (FailureReason::Timeout, _) => "el receptor no responde (timeout)",
            (FailureReason::Dns, _) => "el nombre de host del receptor no se resuelve (DNS)",
            (FailureReason::Refused, _) => "el receptor rechaza las conexiones",
            (FailureReason::Reset, _) => "el receptor corta la conexión",
            (FailureReason::Unreachable, _) => "no hay ruta de red hacia el receptor",
            (FailureReason::CertificateExpired, _) => "el certificado del receptor está vencido",
            (FailureReason::Tls, _) => "no se puede establecer una conexión segura con el receptor (TLS)",
            (FailureReason::Http3xx, None) => "el receptor redirige y Cotalker no sigue la redirección",
            (FailureReason::Http4xx | FailureReason::Http5xx | FailureReason::Other, None) => {
                "el log no indica una causa conocida de la falla"
            }
        };
        words.to_owned()
    }

    fn remedy(&self, reason: FailureReason, status: Option<u16>, host: &str) -> String {
        let (the, of) = match host {
            "" => (String::from("el receptor"), String::from("del receptor")),
            host => (host.to_owned(), format!("de {host}")),
        };
        match (reason, status) {
            (FailureReason::Http3xx, _) => {
                String::from("Configurar en el webhook la URL de destino de la redirección.")
            }
            (FailureReason::Http4xx, Some(401 | 403)) => {
                format!("Revisar las credenciales con que el webhook llama a la URL {of}.")
            }
            (FailureReason::Http4xx, Some(404 | 405 | 410)) => {
                format!("Revisar la ruta en la URL del webhook en {the}.")
            }
            (FailureReason::Http4xx, Some(429)) => {
                format!("Subir el límite de solicitudes {of}: recibe más de las que permite.")
            }
            (FailureReason::Http4xx | FailureReason::Http5xx | FailureReason::Reset, _) => {
                format!("Revisar el log del servicio en {the}.")
            }
            (FailureReason::Timeout, _) => format!("Verificar que {the} esté en línea y responda a tiempo."),
            (FailureReason::Dns, _) => format!("Revisar el registro DNS {of}."),
            (FailureReason::Refused, _) => format!("Verificar que el servicio en {the} esté corriendo."),
            (FailureReason::Unreachable, _) => format!("Revisar la ruta de red hacia {the}."),
            (FailureReason::CertificateExpired, _) => format!("Renovar el certificado {of}."),
            (FailureReason::Tls, _) => format!("Revisar la cadena de certificados y las versiones de TLS {of}."),
            (FailureReason::Other, _) => {
                String::from("Revisar las entradas más recientes del log del webhook en Cotalker.")
            }
        }
    }

    fn cause(&self, cause: &Cause) -> String {
        spanish_api::cause(cause)
    }

    fn advice(&self, advice: Advice) -> &'static str {
        spanish_api::advice(advice)
    }

    fn attempts_failed(&self, attempts: u64, newest: i64) -> String {
        let newest = self.ago(newest);
        match attempts {
            0 | 1 => format!("El último intento falló {newest}."),
            some => format!("Los últimos {} intentos fallaron, el más reciente {newest}.", self.number(some)),
        }
    }

    fn failed_in_a_row(&self, attempts: u64) -> String {
        format!("{} {}", plural(attempts, "intento"), one(attempts, "fallido", "fallidos seguidos"))
    }

    fn events_pending(&self, events: u64, oldest: Option<i64>) -> String {
        let pending = format!("{} {}", plural(events, "evento"), one(events, "está pendiente", "están pendientes"));
        match oldest.map(|millis| self.span(Span::of_millis(millis))) {
            Some(span) if events == 1 => format!("{pending} desde hace {span}."),
            Some(span) => format!("{pending}; el más antiguo, desde hace {span}."),
            None => format!("{pending}."),
        }
    }

    fn pending(&self, events: u64) -> String {
        plural(events, "pendiente")
    }

    fn events_lost(&self, events: u64) -> String {
        let (verb, them) = (one(events, "perdió", "perdieron"), one(events, "lo", "los"));
        let lost = plural(events, "evento");
        format!("Se {verb} {lost} desde que comenzó el conteo. Cotalker no {them} volverá a enviar.")
    }

    fn lost(&self, events: u64) -> String {
        plural(events, "perdido")
    }

    fn recovered(&self, why: &str) -> String {
        format!("Las entregas vuelven a funcionar. Última falla: {why}.")
    }

    fn last_attempt_failed(&self, why: &str) -> String {
        format!("El último intento falló: {why}.")
    }

    fn replay(&self, events: u64) -> String {
        String::from(one(events, "Reenviar a mano el evento perdido.", "Reenviar a mano los eventos perdidos."))
    }

    fn gaps(&self, polls: u64) -> String {
        let polls = match polls {
            1 => String::from("Una consulta no se traslapó"),
            some => format!("{} no se traslaparon", plural(some, "consulta")),
        };
        format!("{polls} con la anterior: pueden faltar entradas y los conteos pueden ser menores que los reales.")
    }

    fn logs_unreadable(&self, logs: u64, cause: Option<&str>) -> String {
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        match logs {
            1 => format!("No se puede leer el log de este webhook{cause}. Ningún conteo cambia mientras tanto."),
            some => {
                let webhooks = self.webhooks(some);
                format!("No se pueden leer los logs de {webhooks}{cause}. Ningún conteo cambia mientras tanto.")
            }
        }
    }

    fn logs_stale(&self, logs: u64, interval: i64) -> String {
        let logs = one(logs, "el log no se ha leído", "los logs no se han leído");
        format!("Los datos están desactualizados: corresponde una consulta {}, pero {logs}.", self.every(interval))
    }

    fn list_stale(&self, interval: i64, read: i64) -> String {
        let (interval, read) = (self.every(interval), self.ago(read));
        format!(
            "Los datos están desactualizados: corresponde una consulta {interval}, pero la lista de webhooks se leyó por última vez {read}."
        )
    }

    fn list_last_read(&self, read: i64) -> String {
        let read = self.ago(read);
        format!(
            "Los datos están desactualizados y ningún conteo cambia. La lista de webhooks se leyó por última vez {read}."
        )
    }

    fn logs_of_api(&self, logs: u64) -> String {
        match logs {
            1 => String::from("Por esto no se puede leer 1 log."),
            some => format!("Por esto no se pueden leer {}.", plural(some, "log")),
        }
    }

    fn stands_by(&self, interval_millis: i64) -> String {
        let every = self.every(interval_millis);
        format!(
            "En espera: otra réplica consulta en cada intervalo. Esta consulta {every}, por lo que sus datos llegan con retraso."
        )
    }

    fn over_limit(&self, webhooks: u64) -> String {
        match webhooks {
            1 => String::from("No se monitorea ni se muestra 1 webhook más: hay más que --webhook.limit."),
            some => {
                let more = self.webhooks(some);
                format!("No se monitorean ni se muestran {more} más: hay más que --webhook.limit.")
            }
        }
    }

    fn lasting(&self, millis: i64, clock: &str) -> String {
        format!("falla desde hace {} ({clock})", self.span(Span::of_millis(millis)))
    }

    fn last_failed(&self, millis: i64) -> String {
        format!("última falla {}", self.ago(millis))
    }

    fn last_read(&self, millis: i64, clock: &str) -> String {
        format!("última lectura {} ({clock})", self.ago(millis))
    }

    fn list_read(&self, millis: i64) -> String {
        format!("Lista leída {}.", self.ago(millis))
    }

    fn reloads(&self, seconds: u32) -> String {
        format!("Se recarga cada {seconds} s.")
    }

    fn reload(&self, seconds: u32) -> String {
        format!("Recargar cada {seconds} s")
    }

    fn lost_of(&self, webhooks: u64) -> String {
        format!("Eventos perdidos de {}", self.webhooks(webhooks))
    }

    fn logs_of(&self, webhooks: u64) -> String {
        format!("Logs de {}", self.webhooks(webhooks))
    }

    fn more(&self, webhooks: u64) -> String {
        format!("{} más", self.number(webhooks))
    }

    fn found(&self, found: u64, all: u64) -> String {
        format!("{} de {}", self.number(found), self.webhooks(all))
    }

    fn retention(&self, retention: Retention) -> String {
        match retention {
            Retention::Unknown => String::from("aún no se sabe"),
            Retention::Newest(1) => String::from("la última entrada"),
            Retention::Newest(entries) => format!("las últimas {} entradas", self.number(entries)),
            Retention::ForMillis(millis) => {
                format!("las entradas por al menos {}", self.span(Span::of_millis(millis)))
            }
        }
    }

    fn delivered_with(&self, status: u16) -> String {
        format!("entregado, {status}")
    }

    fn delivered_after_all(&self, at: &str) -> String {
        format!("Finalmente entregado el {at}: no hay nada que reenviar.")
    }

    fn listed(&self, listed: u64, all: u64) -> String {
        let all = self.number(all);
        match listed {
            0 => format!("No se puede mostrar ninguno de los {all}: se contaron antes de que existiera esta lista."),
            1 => format!("Se muestra el más reciente de {all}."),
            some => format!("Se muestran los {} más recientes de {all}.", self.number(some)),
        }
    }
}

const LABELS: Labels = Labels {
    product: "Webhooks de Cotalker",
    as_of: "Datos al",
    all_times: "Todas las horas están en UTC.",
    no_reload: "No se recarga.",
    stop_reload: "Detener la recarga",
    all_webhooks: "Todos los webhooks",
    needs_attention: "Requiere atención",
    filter: "Filtro",
    filter_text: "Código, nombre, id o host",
    filter_state: "Estado",
    any_state: "Cualquier estado",
    apply_filter: "Filtrar",
    clear_filter: "Quitar el filtro",
    webhook: "Webhook",
    state: "Estado",
    attempts: "Intentos",
    failed: "Fallidos",
    delivered: "Entregados",
    pending: "Pendientes",
    lost: "Perdidos",
    last_success: "Último éxito",
    log_read: "Log leído",
    log_keeps: "El log conserva",
    never: "nunca",
    open_webhook: "Abrir este webhook",
    metrics: "Métricas",
    healthy: "Salud",
    ready: "Listo",
    api_title: "API de Cotalker",
    api_state: "no se puede leer",
    blocked_why: "Todos los eventos posteriores esperan: Cotalker entrega en estricto orden.",
    unread_since_start: "El log no se ha leído desde el inicio. Los datos son anteriores.",
    switched_off: "Este webhook está desactivado.",
    check_exporter: "Revisar el log del exporter.",
    no_data: "Aún no hay datos. Los webhooks aparecen aquí cuando se haya leído su lista.",
    leads_unsure: "No se puede leer ni renovar el Lease, así que esta réplica consulta como si lo tuviera. El registro indica la causa.",
    first_poll_runs: "La primera consulta desde el inicio sigue en curso. Los datos son anteriores al inicio.",
    nothing_listed: "La API se puede leer, pero no lista ningún webhook que monitorear. Si debería, revisar --cotalker.company, los permisos del token, --webhook.include y --webhook.exclude.",
    list_never_read: "La lista de webhooks no se ha leído desde el inicio.",
    see_log: "El log del exporter dice por qué.",
    nothing_found: "Ningún webhook coincide con el filtro.",
    not_found_title: "Webhook no encontrado",
    not_found: "No se monitorea ningún webhook con este id. Puede haber sido eliminado en Cotalker, o los filtros del exporter lo excluyen.",
    lost_events: "Eventos perdidos",
    pending_events: "Eventos pendientes",
    newest_attempts: "Intentos más recientes",
    no_lost: "No se conoce ningún evento perdido.",
    no_pending: "Ningún evento está pendiente.",
    no_attempts: "El log aún no ha mostrado ningún intento.",
    ids: "Para encontrar un evento en Cotalker: la entrada es un _id en el log de este webhook y el objeto es el id de aquello que cambió.",
    log_entry: "Entrada del log",
    subject: "Objeto",
    event: "Evento",
    created: "Creado",
    attempt_at: "Intento",
    last_attempt: "Último intento",
    retry: "Reintento",
    result: "Resultado",
    settled: "Perdido",
    no_event: "desconocido",
};
