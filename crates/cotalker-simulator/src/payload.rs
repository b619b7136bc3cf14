//! What the API's objects look like as JSON: webhooks, and log entries with the object that an event carries.
//!
//! An entry is written from a template of its kind, always the same bytes for the same attempt: a log of 150 MB is made
//! up chunk by chunk while it is sent, and every attempt of an event shows the same event.

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use delivery_ledger::{Action, ObjectId, UnixMillis};

use crate::world::{LoggedAttempt, LoggedEvent, SECRET_MARKER, SimulatedWebhook, Trigger, mix};

/// A point in time as the API writes it: ISO 8601 with milliseconds, UTC.
#[must_use]
pub fn iso(at: UnixMillis) -> String {
    format!("{:.3}", timestamp(at))
}

fn timestamp(at: UnixMillis) -> Timestamp {
    Timestamp::from_millisecond(at.as_millis()).unwrap_or_default()
}

/// A `COTWebhook`.
pub(crate) fn webhook(webhook: &SimulatedWebhook, company: ObjectId) -> Value {
    let spec = &webhook.spec;
    let mut value = json!({
        "_id": webhook.id.to_string(),
        "company": company.to_string(),
        "isActive": spec.active,
        "trigger": spec.trigger.as_str(),
        "url": spec.url,
        "name": spec.name,
        "code": spec.code,
        "context": { "survey": "", "group": "", "taskGroup": "" },
        "__v": 0,
    });
    if let Some(description) = &spec.description {
        value["description"] = json!(description);
    }
    value
}

/// The `COTWebhookLog` of an attempt, for a test that wants to bend it: see `LogShape::extra`.
#[must_use]
pub fn entry_value(attempt: &LoggedAttempt, subscription: ObjectId, company: ObjectId) -> Value {
    let mut text = Vec::new();
    write_entry(&mut text, attempt, subscription, company, (1_000, 6_000));
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Appends the `COTWebhookLog` of an attempt.
pub(crate) fn write_entry(
    out: &mut Vec<u8>,
    attempt: &LoggedAttempt,
    subscription: ObjectId,
    company: ObjectId,
    (least, most): (u32, u32),
) {
    let event = &attempt.event;
    let start = out.len();
    let size = u64::from(least) + event.seed % (u64::from(most.saturating_sub(least)) + 1);
    let mut pen = Pen { out, state: event.seed, event, company, end: start + usize::try_from(size).unwrap_or(0) };
    pen.text(r#"{"_id":""#);
    pen.id(attempt.id.0);
    pen.text(r#"","company":""#);
    pen.id(company);
    pen.text(r#"","createdAt":""#);
    pen.time(attempt.at);
    pen.text(r#"","status":"#);
    match attempt.status {
        Some(status) => pen.number(u64::from(status)),
        None => pen.text("null"),
    }
    pen.text(r#","retry":"#);
    pen.number(u64::from(attempt.retry));
    pen.text(r#","response":"#);
    pen.quoted(&attempt.response);
    pen.text(r#","event":"#);
    // Room for what follows the padding.
    pen.end = pen.end.saturating_sub(420);
    pen.event();
    pen.text(r#","subscription":""#);
    pen.id(subscription);
    pen.text(r#"","__v":0}"#);
}

const EVENT: &str = r#"{"company":"%c","type":"%y","extraData":null,"createdAt":"%w","data":"#;

const LOGOUT: &str = r#"{"company":"%c","type":"%y","extraData":{"userId":"%s","timestamp":"%w"},"createdAt":"%w","data":null,"event":"logout"}"#;

const TASK: &str = r#"{"public":{"isActive":false,"language":"english","title":"","response":""},"answers":["%i"],"indentation":0,"isActive":true,"isValid":false,"activeSlas":[],"validators":[],"editors":["%i"],"followers":[],"visibility":[],"subscribers":[],"userList":["%i","%i"],"color":"none","formMessage":[],"language":"english","_id":"%s","name":" Equipment sector %n - Equipment %n-A","relativeWeight":1,"assignee":"%i","startDate":"%t","endDate":"%t","channel":"%i","status1":"%i","status3":"%i","createdBy":"%i","company":"%c","taskGroup":"%i","owner":"manual","weight":0.5,"projectCode":"%i","createdAt":"%t","status":"%i","smState":"%i","smStateMachine":"%i","modifiedStateAt":"%t","closedAt":null,"asset":"%i","serial":%n,"comment":"%x","accessCode":"%m","modifiedAt":"%w","__v":0}"#;

const USER: &str = r#"{"_id":"%s","accessRoles":["%i"],"avatar":{"small":"","square":"","original":""},"companies":[{"hierarchy":{"boss":[],"peers":[],"subordinate":[]},"_id":"%i","companyId":"%c"}],"createdAt":"%t","email":"user%n.%m@acme.example","emailIsVerified":false,"job":"%i","jobTitle":"mechanic","modifiedAt":"%w","name":{"displayName":"","names":"Núria \"Nu\" %m","lastName":"Peña","secondLastName":""},"password":"%m==","phone":"+56 9 5550 %n","properties":["%i","%i","%i"],"extensions":{"notes":"%x"}}"#;

const SURVEY: &str = r#"{"_id":"%s","survey":"%i","channel":"%i","company":"%c","user":"%i","isActive":true,"isSystemModel":false,"code":"check_%n","chat":"%i","createdAt":"%t","modifiedAt":"%w","data":[{"identifier":"temperature","process":[%n,-1.5e-3],"responses":["%n °C","{\"unit\":\"C\"}]"]},{"identifier":"signature","process":[],"responses":["data:image/png;base64,%m"]},{"identifier":"remarks","process":[],"responses":["%x"]}],"__v":2}"#;

const PROPERTY: &str = r#"{"_id":"%s","company":"%c","isActive":true,"propertyType":"equipment","name":{"code":"pump_%n","display":"Pump %n – north"},"parent":"%i","image":null,"createdAt":"%t","modifiedAt":"%w","schemaInstance":{"serial":"%m","installed":"%t","geo":[-33.4489,-70.6693],"remarks":"%x"},"subproperty":["%i","%i"],"__v":1}"#;

const NOTE: &str = r#"{"_id":"%s","company":"%c","author":"%i","title":"Shift %n","content":"%m\n\t%x","attachments":[{"_id":"%i","name":"photo \\ 1.jpg","size":%n}],"mentions":["%i"],"isActive":true,"createdAt":"%t","modifiedAt":"%w","__v":0}"#;

const TASK_DIFF: &str = r#","diff":{"/status":{"previous":"%i","changedTo":"%i"},"/accessCode":{"previous":"%m","changedTo":"%m"},"/serial":{"previous":null,"changedTo":%n}}}"#;

const USER_DIFF: &str = r#","diff":{"/name/names":{"previous":"%m","changedTo":"Thomas"},"/name/lastName":{"previous":"","changedTo":"Gardner"},"/properties":{"previous":["%i","%i"],"changedTo":["%i"]}}}"#;

const OTHER_DIFF: &str = r#","diff":{"/remarks":{"previous":"%m","changedTo":"new {[ remarks ]}"},"/isActive":{"previous":false,"changedTo":true}}}"#;

/// What free text is made of, as it stands inside a JSON string: other alphabets, escapes, and brackets that are none.
const WORDS: [&str; 16] = [
    "pump ",
    "replaced ",
    "válvula ",
    "según ",
    "the ",
    "\\\"north\\\" ",
    "sector ",
    "{not json} ",
    "[3] ",
    "übergabe ",
    "back\\\\slash ",
    "line\\n",
    "設備 ",
    "\\u00e9t\\u00e9 ",
    "🔧 ",
    "checked, ",
];

/// Writes one entry.
struct Pen<'a> {
    out: &'a mut Vec<u8>,
    state: u64,
    event: &'a LoggedEvent,
    company: ObjectId,
    /// Where free text stops.
    end: usize,
}

impl Pen<'_> {
    fn event(&mut self) {
        let (data, diff) = match self.event.trigger {
            Trigger::Logout => return self.template(LOGOUT),
            Trigger::Task => (TASK, TASK_DIFF),
            Trigger::User => (USER, USER_DIFF),
            Trigger::Survey => (SURVEY, OTHER_DIFF),
            Trigger::Property => (PROPERTY, OTHER_DIFF),
            Trigger::Note | Trigger::Unknown => (NOTE, OTHER_DIFF),
        };
        self.template(EVENT);
        self.template(data);
        self.text(r#","event":""#);
        self.text(self.event.action.as_str());
        self.text("\"");
        if self.event.action == Action::Edit { self.template(diff) } else { self.text("}") }
    }

    /// Writes a template: `%c` company, `%y` event type, `%w` the event's time, `%s` its subject, `%i` some id, `%t` some
    /// earlier time, `%n` some number, `%m` the secret marker, `%x` free text up to the size that is wanted.
    fn template(&mut self, template: &str) {
        let mut parts = template.split('%');
        self.text(parts.next().unwrap_or_default());
        for part in parts {
            let (place, rest) = part.split_at(1);
            match place {
                "c" => self.id(self.company),
                "y" => self.text(self.event.trigger.event_type()),
                "w" => self.time(self.event.created_at),
                "s" => self.id(self.event.subject),
                "i" => self.some_id(),
                "t" => {
                    let earlier = self.chance() % 100_000_000;
                    self.time(self.event.created_at.plus_millis(-i64::try_from(earlier).unwrap_or(0)));
                }
                "n" => {
                    let number = self.chance() % 1_000;
                    self.number(number);
                }
                "m" => self.text(SECRET_MARKER),
                "x" => self.free_text(),
                _ => {}
            }
            self.text(rest);
        }
    }

    fn free_text(&mut self) {
        while self.out.len() < self.end {
            let mut dice = self.chance();
            for _ in 0..16 {
                self.text(WORDS[usize::try_from(dice % 16).unwrap_or(0)]);
                dice >>= 4;
            }
        }
    }

    fn chance(&mut self) -> u64 {
        self.state = self.state.wrapping_add(1);
        mix(self.state)
    }

    fn some_id(&mut self) {
        let (high, low) = (self.chance(), self.chance());
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.to_be_bytes()[4..]);
        bytes[0] = 0x62; // Made in 2022.
        self.id(ObjectId::from_bytes(bytes));
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn id(&mut self, id: ObjectId) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for byte in id.to_bytes() {
            self.out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }

    fn number(&mut self, number: u64) {
        self.text(itoa::Buffer::new().format(number));
    }

    fn time(&mut self, at: UnixMillis) {
        // Writing to memory cannot fail.
        let _ = write!(self.out, "{:.3}", timestamp(at));
    }

    fn quoted(&mut self, text: &str) {
        // Nor can this: a string is always JSON.
        let _ = serde_json::to_writer(&mut *self.out, text);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::world::{Receiver, WebhookSpec, World};

    const START: UnixMillis = UnixMillis::from_secs(1_760_000_000);
    const SECOND: i64 = 1_000;
    const MINUTE: i64 = 60 * SECOND;

    fn world() -> World {
        World::new(START, 7)
    }

    #[test]
    fn entries_of_every_kind_parse_and_carry_all_documented_fields() {
        for trigger in Trigger::DOCUMENTED.into_iter().chain([Trigger::Unknown]) {
            let mut world = world();
            let id = world.add(WebhookSpec::new("any", trigger).to(Receiver::Flaky { failures: 0.5 }).every_ms(SECOND));
            world.advance_by(30 * MINUTE);
            let mut actions = BTreeSet::new();
            for attempt in world.attempts(id) {
                let entry = entry_value(attempt, id.0, world.company());
                assert_eq!(entry["_id"], json!(attempt.id.to_string()));
                assert_eq!(entry["subscription"], json!(id.to_string()));
                assert_eq!(entry["company"], json!(world.company().to_string()));
                assert_eq!(entry["createdAt"], json!(iso(attempt.at)));
                assert_eq!(entry["status"], json!(attempt.status));
                assert_eq!(entry["retry"], json!(attempt.retry));
                assert_eq!(entry["response"], json!(&*attempt.response));
                assert_eq!(entry["__v"], json!(0));
                let event = &entry["event"];
                actions.insert(attempt.event.action);
                assert_eq!(event["type"], json!(trigger.event_type()));
                assert_eq!(event["event"], json!(attempt.event.action.as_str()));
                assert_eq!(event["createdAt"], json!(iso(attempt.event.created_at)));
                assert_eq!(event["company"], entry["company"]);
                let subject = json!(attempt.event.subject.to_string());
                if trigger == Trigger::Logout {
                    assert_eq!(event["data"], Value::Null);
                    assert_eq!(event["extraData"]["userId"], subject);
                    assert!(event["extraData"]["timestamp"].is_string());
                } else {
                    assert_eq!(event["data"]["_id"], subject);
                    assert_eq!(event["extraData"], Value::Null);
                    assert!(event["data"].to_string().contains(SECRET_MARKER));
                    assert_eq!(event["diff"].is_object(), attempt.event.action == Action::Edit);
                    if attempt.event.action == Action::Edit {
                        assert!(event["diff"].to_string().contains(SECRET_MARKER));
                    }
                }
                if trigger == Trigger::User {
                    assert!(event["data"]["password"].is_string());
                }
            }
            assert_eq!(actions.len(), if trigger == Trigger::Logout { 1 } else { 3 }, "{trigger:?}");
        }
    }

    #[test]
    fn entries_have_the_size_that_is_wanted() {
        let mut world = world();
        let id = world.add(WebhookSpec::new("wo_update", Trigger::Task).entry_bytes(3_000, 3_000));
        world.emit(id, Action::Create, 50);
        world.emit(id, Action::Edit, 50);
        world.advance_by(MINUTE);
        for attempt in world.attempts(id) {
            let mut entry = Vec::new();
            write_entry(&mut entry, attempt, id.0, world.company(), (3_000, 3_000));
            assert!((2_700..=3_600).contains(&entry.len()), "{}", entry.len());
        }
    }

    #[test]
    fn dates_are_written_as_the_api_writes_them() {
        assert_eq!(iso(UnixMillis::from_millis(1_651_781_080_084)), "2022-05-05T20:04:40.084Z");
        assert_eq!(iso(UnixMillis::from_secs(1_651_781_080)), "2022-05-05T20:04:40.000Z");
    }
}
