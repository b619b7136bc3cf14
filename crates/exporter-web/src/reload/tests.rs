use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::fixture::{TLS, certificate, directory, hash, read};

/// A file that is watched, and what happens to it.
struct Scene {
    directory: TempDir,
    reloads: Arc<Mutex<Vec<Reload>>>,
    watched: Arc<WatchedFile>,
}

impl Scene {
    fn of(text: &str) -> Self {
        let directory = directory();
        let file = read(&directory, text).expect("good");
        Self::watching(directory, file)
    }

    fn watching(directory: TempDir, file: WebConfigFile) -> Self {
        let reloads = Arc::<Mutex<Vec<Reload>>>::default();
        let seen = Arc::clone(&reloads);
        let watched = WatchedFile::new(file, Box::new(move |reload| lock(&seen).push(reload)));
        Self { directory, reloads, watched: Arc::new(watched) }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).expect("written");
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&lock(&self.watched.last_read).rules)
    }

    /// How many changes were applied, and how many were rejected.
    fn reloads(&self) -> (usize, usize) {
        let reloads = lock(&self.reloads);
        let applied = reloads.iter().filter(|reload| **reload == Reload::Applied).count();
        (applied, reloads.len() - applied)
    }

    /// Looks, and gives whether other rules are in force since.
    fn look(&self) -> bool {
        let before = self.rules();
        self.watched.look();
        !Arc::ptr_eq(&before, &self.rules())
    }
}

#[test]
fn what_is_the_same_is_not_taken_again_and_what_changes_is_once() {
    let scene = Scene::of(TLS);
    assert!(!scene.look());
    let (certificate, key) = certificate();
    scene.write("tls.crt", &certificate);
    scene.write("tls.key", &key);
    assert!(scene.look() && !scene.look());
    // Written again, with the same content.
    scene.write("tls.key", &key);
    assert!(!scene.look());
    scene.write("web.yml", &format!("{TLS}rate_limit: {{interval: 1s, burst: 2}}\n"));
    assert!(scene.look() && scene.rules().limit.is_some());
    assert_eq!(scene.reloads(), (2, 0));
}

#[test]
fn what_is_broken_leaves_all_as_it_was_and_counts_once_until_it_changes() {
    let scene = Scene::of(TLS);
    let (certificate, key) = certificate();
    // A pair of which one half has come.
    scene.write("tls.crt", &certificate);
    assert!(!scene.look() && !scene.look());
    assert_eq!(scene.reloads(), (0, 1));
    scene.write("tls.key", &key);
    assert!(scene.look());
    assert_eq!(scene.reloads(), (1, 1));
    for (text, errors) in [("nonsense: 1", 2), ("nonsense: 2", 3), ("nonsense: 2", 3)] {
        scene.write("web.yml", text);
        assert!(!scene.look());
        assert_eq!(scene.reloads(), (1, errors), "{text}");
    }
    fs::remove_file(scene.directory.path().join("web.yml")).expect("removed");
    assert!(!scene.look() && !scene.look());
    assert_eq!(scene.reloads(), (1, 4));
    // What was good comes back: it is taken, so that the trouble ends.
    scene.write("web.yml", TLS);
    assert!(scene.look());
    assert_eq!(scene.reloads(), (2, 4));
}

#[test]
fn no_change_of_the_file_opens_the_pages() {
    let logins = format!("basic_auth_users: {{alice: {}}}\n", hash("x"));
    let both = Scene::of(&format!("{TLS}{logins}"));
    for text in ["", TLS, &logins] {
        both.write("web.yml", text);
        assert!(!both.look(), "{text:?}");
    }
    assert_eq!(both.reloads(), (0, 3));
    let auth = |auth: &str| format!("{TLS}  client_auth_type: {auth}\n  client_ca_file: tls.crt\n");
    let strict = Scene::of(&auth("RequireAndVerifyClientCert"));
    for text in [TLS, &auth("RequestClientCert"), &auth("RequireAnyClientCert"), &auth("VerifyClientCertIfGiven")] {
        strict.write("web.yml", text);
        assert!(!strict.look(), "{text}");
    }
    assert_eq!(strict.reloads(), (0, 4));
    let named = Scene::of(&(auth("RequireAndVerifyClientCert") + "  client_allowed_sans: [scraper.example]\n"));
    named.write("web.yml", &auth("RequireAndVerifyClientCert"));
    assert!(!named.look(), "certificates of any name");
    let lax = Scene::of(TLS);
    for text in [auth("RequestClientCert"), auth("RequireAnyClientCert"), auth("RequireAndVerifyClientCert")] {
        lax.write("web.yml", &text);
        assert!(lax.look(), "more can be asked: {text}");
    }
    let neither = Scene::of("");
    neither.write("web.yml", TLS);
    assert!(!neither.look(), "no TLS where plain HTTP is expected");
    neither.write("web.yml", &logins);
    assert!(neither.look() && neither.rules().users.is_some(), "logins can be switched on");
    assert_eq!(neither.reloads(), (1, 1));
}

#[test]
fn a_kubernetes_secret_whose_links_are_swapped_is_read_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let version = |name: &str| {
        let path = directory.path().join(name);
        fs::create_dir(&path).expect("a directory");
        let (certificate, key) = certificate();
        for (name, text) in [("tls.crt", certificate.as_str()), ("tls.key", &key), ("web.yml", TLS)] {
            fs::write(path.join(name), text).expect("written");
        }
    };
    version("..1");
    version("..2");
    symlink("..1", directory.path().join("..data")).expect("a link");
    for name in ["tls.crt", "tls.key", "web.yml"] {
        symlink(format!("..data/{name}"), directory.path().join(name)).expect("a link");
    }
    let config = WebConfigFile::read(&directory.path().join("web.yml")).expect("good");
    let scene = Scene::watching(directory, config);
    assert!(!scene.look());
    symlink("..2", scene.directory.path().join("..new")).expect("a link");
    fs::rename(scene.directory.path().join("..new"), scene.directory.path().join("..data")).expect("swapped");
    assert!(scene.look());
    assert_eq!(scene.reloads(), (1, 0));
}

#[tokio::test]
async fn looks_are_a_second_apart_and_one_at_a_time_and_are_waited_for_with_patience() {
    let scene = Scene::of(TLS);
    let watched = &scene.watched;
    let start = Instant::now();
    let (ended, until) = watched.look_under_way(start).expect("the first one looks");
    assert_eq!(until, start + LOOK_PATIENCE);
    ended.cancelled().await;
    assert!(watched.look_under_way(start + LOOK_EVERY - Duration::from_millis(1)).is_none());
    let (ended, _) = watched.look_under_way(start + LOOK_EVERY).expect("the next one");
    ended.cancelled().await;

    // One that hangs: no other look begins, and later requests wait no longer than the first.
    *lock(&watched.last_look) = Some(Look { began: start, ended: CancellationToken::new() });
    for later in [Duration::from_millis(1), Duration::from_secs(60)] {
        let (ended, until) = watched.look_under_way(start + later).expect("the one that hangs");
        assert_eq!((ended.is_cancelled(), until), (false, start + LOOK_PATIENCE));
    }
}
