//! A headless Chromium, driven through its `DevTools` protocol over a pipe (`--remote-debugging-pipe`: messages end with
//! NUL, on descriptors 3 and 4).

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// What the browser may take for one thing, with other tests at work beside it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Its pipe lies on 3 and 4; what it prints is nobody's.
const START: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// One page of a browser, which runs no JavaScript of the page.
pub struct Chromium {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    profile: PathBuf,
    session: Option<String>,
    last_id: u64,
    events: VecDeque<Value>,
}

/// The browser, where there is one; on macOS a test may do without. `make test` installs it elsewhere.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let named = ["chromium", "chromium-browser", "google-chrome"];
    let mut found = named
        .iter()
        .flat_map(|name| places.iter().map(move |place| place.join(name)));
    let app = Path::new("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    let found = found
        .find(|file| file.is_file())
        .or_else(|| app.is_file().then(|| app.into()));
    if found.is_none() {
        let may_do_without = std::env::consts::OS == "macos";
        assert!(
            may_do_without,
            "no chromium is installed: run `make test`, which does it"
        );
        eprintln!("SKIPPED: no Chromium and no Google Chrome is installed on this Mac");
    }
    found
}

impl Chromium {
    pub async fn start(program: &Path) -> Self {
        let profile =
            std::env::temp_dir().join(format!("keyway-chromium-{}", uuid::Uuid::new_v4()));
        let mut process = Command::new("sh")
            .args(["-c", START])
            .arg(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--disable-sync",
            ])
            .args(["--no-proxy-server", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut browser = Self {
            to: process.stdin.take().unwrap(),
            from: BufReader::new(process.stdout.take().unwrap()),
            process,
            profile,
            session: None,
            last_id: 0,
            events: VecDeque::new(),
        };
        let target = browser
            .call("Target.createTarget", json!({"url": "about:blank"}))
            .await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "DOM", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        browser
            .call(
                "Emulation.setScriptExecutionDisabled",
                json!({"value": true}),
            )
            .await;
        browser.screen(1280, 900, false).await;
        browser
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to
            .write_all(format!("{message}\0").as_bytes())
            .await
            .unwrap();
        loop {
            let answer = self.next().await;
            if answer["id"] == self.last_id {
                assert_eq!(answer["error"], Value::Null, "{method}");
                return answer["result"].clone();
            }
            self.events.push_back(answer);
        }
    }

    async fn next(&mut self) -> Value {
        let mut message = Vec::new();
        let read = timeout(PATIENCE, self.from.read_until(0, &mut message)).await;
        assert!(
            read.expect("the browser answers in time").unwrap() > 0,
            "the browser has ended"
        );
        message.pop();
        serde_json::from_slice(&message).unwrap()
    }

    /// Waits for an event of this kind that came after the last such wait.
    async fn event(&mut self, method: &str) -> Value {
        loop {
            while let Some(event) = self.events.pop_front() {
                if event["method"] == method {
                    return event["params"].clone();
                }
                Self::note(&event);
            }
            let event = self.next().await;
            self.events.push_back(event);
        }
    }

    /// A page that breaks its own policy would show here.
    fn note(event: &Value) {
        let text = event["params"]["entry"]["text"]
            .as_str()
            .unwrap_or_default();
        assert!(!text.contains("Content Security Policy"), "{text}");
    }

    pub async fn go(&mut self, url: &str) {
        self.events.clear();
        self.call("Page.navigate", json!({"url": url})).await;
        self.event("Page.loadEventFired").await;
    }

    /// The element that a selector finds first.
    async fn node(&mut self, selector: &str) -> Value {
        let document = self.call("DOM.getDocument", json!({"depth": 0})).await;
        let query = json!({"nodeId": document["root"]["nodeId"], "selector": selector});
        let found = self.call("DOM.querySelector", query).await;
        assert_ne!(
            found["nodeId"],
            0,
            "{selector} is not there: {}",
            self.html().await
        );
        found["nodeId"].clone()
    }

    /// Types into an input.
    pub async fn type_into(&mut self, selector: &str, text: &str) {
        let node = self.node(selector).await;
        self.call("DOM.focus", json!({"nodeId": node})).await;
        self.type_here(text).await;
    }

    /// Types where the focus is.
    pub async fn type_here(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Clicks on an element with the mouse and waits for the page that comes of it.
    pub async fn click(&mut self, selector: &str) {
        let node = self.node(selector).await;
        self.call("DOM.scrollIntoViewIfNeeded", json!({"nodeId": node}))
            .await;
        let model = self.call("DOM.getBoxModel", json!({"nodeId": node})).await;
        let corner = |at: usize| model["model"]["content"][at].as_f64().unwrap();
        let (x, y) = (
            f64::midpoint(corner(0), corner(4)),
            f64::midpoint(corner(1), corner(5)),
        );
        self.events.clear();
        for kind in ["mousePressed", "mouseReleased"] {
            let click = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", click).await;
        }
        self.event("Page.loadEventFired").await;
    }

    /// Presses Enter where the focus is and waits for the page that comes of it.
    pub async fn press_enter(&mut self) {
        self.events.clear();
        for kind in ["keyDown", "keyUp"] {
            let key = json!({"type": kind, "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13});
            self.call("Input.dispatchKeyEvent", key).await;
        }
        self.event("Page.loadEventFired").await;
    }

    pub async fn html(&mut self) -> String {
        let document = self.call("DOM.getDocument", json!({"depth": 0})).await;
        let outer = json!({"nodeId": document["root"]["nodeId"]});
        let html = self.call("DOM.getOuterHTML", outer).await;
        html["outerHTML"].as_str().unwrap().to_owned()
    }

    /// What stands in the address bar.
    pub async fn url(&mut self) -> String {
        let history = self.call("Page.getNavigationHistory", json!({})).await;
        let at = usize::try_from(history["currentIndex"].as_u64().unwrap()).unwrap();
        history["entries"][at]["url"].as_str().unwrap().to_owned()
    }

    /// What an expression of ours says of the page.
    pub async fn ask(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", asked).await;
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}");
        answer["result"]["value"].clone()
    }

    pub async fn screen(&mut self, width: u32, height: u32, mobile: bool) {
        let scale = if mobile { 2 } else { 1 };
        let screen =
            json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile});
        self.call("Emulation.setDeviceMetricsOverride", screen)
            .await;
    }

    pub async fn prefer(&mut self, scheme: &str) {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", media).await;
    }

    /// A picture of the page, for people, where `KEYWAY_SCREENSHOTS` names a directory.
    pub async fn picture(&mut self, name: &str) {
        let Some(directory) = std::env::var_os("KEYWAY_SCREENSHOTS") else {
            return;
        };
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let taken = self.call("Page.captureScreenshot", whole).await;
        let bytes = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        std::fs::write(PathBuf::from(directory).join(format!("{name}.png")), bytes).unwrap();
    }

    pub async fn end(mut self) {
        self.session = None;
        self.call("Browser.close", json!({})).await;
        timeout(PATIENCE, self.process.wait())
            .await
            .unwrap()
            .unwrap();
        std::fs::remove_dir_all(&self.profile).ok();
    }
}
