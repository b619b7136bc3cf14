use std::collections::BTreeMap;
use std::io::Read as _;

use delivery_ledger::{Attempt, AttemptId, ObjectId, Outcome, Position, ServerTime};
use proptest::prelude::*;

use super::*;
use crate::api::Malformation;
use crate::compression::{Encoding, Settled, Tail};
use crate::exposition::families::write;
use crate::exposition::{AccountView, Format, Page};

const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };
const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);
const TAIL: &str = "process_open_fds 9\n";

/// What happens between two pictures. Webhooks are numbered, and those that are not there are left alone.
#[derive(Clone, Debug)]
enum Change {
    Appear {
        first: u16,
        webhooks: u16,
    },
    Vanish {
        first: u16,
        webhooks: u16,
    },
    Rename(u16),
    SwitchOff(u16),
    Deliver(u16),
    Fail(u16),
    /// The ledger changes though the log was not read: the time of an event is up.
    Settle(u16),
    /// All logs are as they were.
    TimePasses,
    BecomeUnreadable(u16),
    StandBy(bool),
    /// Somebody asks for a page.
    Scrape(Format, Encoding),
}

/// What the fleet knows.
#[derive(Default)]
struct World {
    webhooks: BTreeMap<WebhookId, Known>,
    account: AccountView,
    minutes: u8,
    picture: Picture,
}

struct Known {
    webhook: Arc<Webhook>,
    ledger: Arc<Ledger>,
    is_up: Option<bool>,
    problem: Option<CallError>,
    read_at: Option<UnixMillis>,
    interval: Duration,
}

fn id(number: u16) -> WebhookId {
    let [high, low] = number.to_be_bytes();
    WebhookId(ObjectId::from_bytes([0x62, 0x68, 0x59, 0x90, 0, 0, 0, 0, 0, 0, high, low]))
}

impl Known {
    fn new(number: u16) -> Self {
        let webhook = Webhook {
            id: id(number),
            company: "acme".into(),
            code: format!("hook_{number}"),
            name: String::new(),
            trigger: "create-edit-delete-task".into(),
            target_host: "hooks.acme.example".into(),
            active: !number.is_multiple_of(7),
        };
        let ledger = Arc::new(Ledger::new(Position::START));
        Self {
            webhook: Arc::new(webhook),
            ledger,
            is_up: None,
            problem: None,
            read_at: None,
            interval: Duration::from_secs(60),
        }
    }

    fn member(&self) -> Member<'_> {
        MemberView {
            webhook: &self.webhook,
            ledger: &self.ledger,
            is_up: self.is_up,
            problem: self.problem.as_ref(),
            read_at: self.read_at,
            interval: self.interval,
        }
    }

    fn read(&mut self, now: UnixMillis, news: Option<Outcome>) {
        let ledger = Arc::make_mut(&mut self.ledger);
        if news.is_some() {
            self.interval += Duration::from_secs(60);
        }
        match news {
            Some(outcome) => {
                let number = u8::try_from(ledger.counted() % 200).expect("small");
                let (at, id) = (now.plus_millis(i64::from(number)), AttemptId(ObjectId::from_bytes([number; 12])));
                let mut reading = ledger.read(ServerTime::certain(now), &POLICY);
                reading.observe(Attempt { id, at, outcome, retry: 0, event: None });
                ledger.fold(reading.finish(), &POLICY);
            }
            None => _ = ledger.unchanged(ServerTime::certain(now), &POLICY),
        }
        (self.is_up, self.problem, self.read_at) = (Some(true), None, Some(now));
    }
}

impl World {
    fn now(&self) -> UnixMillis {
        START.plus_millis(60_000 * i64::from(self.minutes))
    }

    fn change(&mut self, change: &Change) {
        self.minutes += 1;
        let now = self.now();
        match *change {
            Change::Appear { first, webhooks } => {
                for number in first..first + webhooks {
                    self.webhooks.entry(id(number)).or_insert_with(|| Known::new(number));
                }
            }
            Change::Vanish { first, webhooks } => {
                self.webhooks.retain(|known, _| !(id(first)..id(first + webhooks)).contains(known));
            }
            Change::Rename(number) => self.with(number, |known| {
                let mut webhook = Webhook::clone(&known.webhook);
                webhook.name.push('x');
                known.webhook = Arc::new(webhook);
            }),
            Change::SwitchOff(number) => self.with(number, |known| {
                known.webhook = Arc::new(Webhook { active: false, ..Webhook::clone(&known.webhook) });
            }),
            Change::Deliver(number) => {
                self.with(number, |known| known.read(now, Some(Outcome::Success { status: 200 })))
            }
            Change::Fail(number) => self.with(number, |known| known.read(now, Some(Outcome::of(Some(503), None)))),
            Change::Settle(number) => self.with(number, |known| {
                let read_at = known.read_at;
                known.read(now, Some(Outcome::of(Some(503), None)));
                known.read_at = read_at;
            }),
            Change::TimePasses => self.webhooks.values_mut().for_each(|known| known.read(now, None)),
            Change::BecomeUnreadable(number) => self.with(number, |known| {
                let problem = CallError::malformed(Malformation::WebPage);
                (known.is_up, known.problem) = (Some(false), Some(problem));
            }),
            Change::StandBy(is_standby) => self.account.is_standby = is_standby,
            Change::Scrape(format, encoding) => _ = self.page().part(format, encoding),
        }
        self.picture.follow(self.webhooks.values().map(Known::member), &POLICY);
    }

    fn with(&mut self, number: u16, change: impl FnOnce(&mut Known)) {
        self.webhooks.get_mut(&id(number)).map(change);
    }

    fn page(&self) -> Page {
        Page::new(self.account, self.picture.blocks())
    }

    /// The page as it is served.
    fn served(&self, format: Format, encoding: Encoding) -> String {
        let bytes = self.page().part(format, encoding).joined().followed_by(tail()).concat();
        let mut text = String::new();
        match encoding {
            Encoding::Identity => bytes.as_slice().read_to_string(&mut text),
            Encoding::Gzip => flate2::bufread::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text),
            Encoding::Zstd => zstd::stream::read::Decoder::new(bytes.as_slice())
                .map(zstd::stream::read::Decoder::single_frame)
                .and_then(|mut decoder| decoder.read_to_string(&mut text)),
        }
        .expect("valid");
        text
    }

    /// The page as it is if all of it is made anew.
    fn rendered(&self, format: Format) -> String {
        let views: Vec<DatedView> = self
            .webhooks
            .values()
            .map(|known| DatedView {
                view: Arc::new(WebhookView::new(
                    Arc::clone(&known.webhook),
                    Figures::of(&known.ledger, &POLICY),
                    known.is_up,
                )),
                read_at: known.read_at,
                interval_millis: millis(known.interval),
            })
            .collect();
        let mut text = Vec::new();
        format.encode(&mut text, |sink| write(&self.account, &views, sink));
        text.extend_from_slice(TAIL.as_bytes());
        String::from_utf8(text).expect("UTF-8")
    }

    fn assert_shows_all(&self) {
        for format in Format::ALL {
            let rendered = self.rendered(format);
            for encoding in Encoding::ALL {
                assert!(self.served(format, encoding) == rendered, "{format:?}, {encoding:?}");
            }
        }
        let rows: Vec<WebhookRow> = self.picture.rows().iter().cloned().collect();
        let expected: Vec<WebhookRow> = self.webhooks.values().map(|known| row(&known.member(), &POLICY)).collect();
        assert_eq!(rows, expected);
        for row in &expected {
            assert_eq!(self.picture.rows().find(&row.id), Some(row));
        }
        assert_eq!(self.picture.rows().find(&id(u16::MAX).to_string()), None);
        let active = self.webhooks.values().filter(|known| known.webhook.active).count();
        assert_eq!(self.picture.sizes(), (self.webhooks.len(), active));
    }

    fn assert_is_well_divided(&self) {
        let sizes: Vec<usize> = self.picture.groups.iter().map(|group| group.webhooks.len()).collect();
        assert!(sizes.iter().all(|size| (1..=LARGEST).contains(size)), "{sizes:?}");
        assert!(sizes.windows(2).all(|pair| pair[0] + pair[1] > SMALL), "{sizes:?}");
    }
}

fn change() -> impl Strategy<Value = Change> {
    let number = || 0_u16..400;
    let format = prop_oneof![Just(Format::Text), Just(Format::OpenMetrics)];
    let encoding = prop_oneof![Just(Encoding::Identity), Just(Encoding::Gzip), Just(Encoding::Zstd)];
    prop_oneof![
        3 => (number(), 1_u16..200).prop_map(|(first, webhooks)| Change::Appear { first, webhooks }),
        2 => (number(), 1_u16..200).prop_map(|(first, webhooks)| Change::Vanish { first, webhooks }),
        1 => number().prop_map(Change::Rename),
        1 => number().prop_map(Change::SwitchOff),
        2 => number().prop_map(Change::Deliver),
        2 => number().prop_map(Change::Fail),
        2 => number().prop_map(Change::Settle),
        2 => Just(Change::TimePasses),
        1 => number().prop_map(Change::BecomeUnreadable),
        1 => any::<bool>().prop_map(Change::StandBy),
        4 => (format, encoding).prop_map(|(format, encoding)| Change::Scrape(format, encoding)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_changes_the_parts_joined_are_what_a_full_render_would_be(
        changes in prop::collection::vec(change(), 1..30),
    ) {
        let mut world = World::default();
        world.change(&Change::Appear { first: 100, webhooks: 150 });
        for change in &changes {
            world.change(change);
            world.assert_is_well_divided();
        }
        world.assert_shows_all();
    }
}

/// A part of it has been there before.
fn tail() -> Tail {
    let (settled, fresh) = TAIL.split_at(TAIL.len() / 2);
    Tail { settled: Arc::new(Settled::new(settled.as_bytes())), fresh: fresh.into() }
}

/// How many pieces of the page are others after a change. Heads always are.
fn remade(world: &mut World, change: &Change, encoding: Encoding) -> usize {
    let pieces = |world: &World| world.page().part(Format::Text, encoding).followed_by(Vec::new().into());
    let before = pieces(world);
    world.change(change);
    let kept: Vec<*const u8> = before.iter().map(|piece| piece.as_ptr()).collect();
    pieces(world).iter().filter(|piece| !kept.contains(&piece.as_ptr())).count()
}

#[test]
fn what_has_not_changed_is_shared_between_pages() {
    for encoding in [Encoding::Identity, Encoding::Gzip] {
        let mut world = World::default();
        world.change(&Change::Appear { first: 0, webhooks: 320 });
        world.change(&Change::TimePasses);
        let heads = remade(&mut world, &Change::Deliver(999), encoding);
        let of_a_block = remade(&mut world, &Change::Deliver(7), encoding) - heads;
        assert!((20..=30).contains(&of_a_block), "the families of one block: {of_a_block}");
        // Of each block the dates, for all logs were read.
        assert_eq!(remade(&mut world, &Change::TimePasses, encoding) - heads, 320 / LARGEST);
        let rows = |world: &World| world.picture.rows().iter().map(std::ptr::from_ref).collect::<Vec<_>>();
        let before = rows(&world);
        world.change(&Change::Fail(100));
        let changed = rows(&world).iter().zip(&before).filter(|(now, before)| now != before).count();
        assert_eq!(changed, 1);
    }
}

#[test]
fn small_neighbours_become_one_block_although_only_one_of_them_has_changed() {
    let mut world = World::default();
    world.change(&Change::Appear { first: 0, webhooks: 80 });
    assert_eq!(world.picture.groups.len(), 2);
    for first in [10, 50] {
        world.change(&Change::Vanish { first, webhooks: 30 });
        world.assert_shows_all();
    }
    assert_eq!(world.picture.groups.len(), 1);
}
