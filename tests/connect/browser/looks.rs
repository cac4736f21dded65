//! How the page looks: on a desktop and a phone, in light and in dark, for fingers and for weak eyes.

use serde_json::{Value, json};

use super::chromium::{Chromium, program};
use crate::common::{TestApp, canary};
use crate::world::{config, declared, link, link_with};

/// Texts whose contrast with what is behind them is below 4.5 to 1 (WCAG 2.2, 1.4.3), and edges of inputs and buttons
/// below 3 to 1 (1.4.11).
const PALE: &str = "(() => {
    const parts = color => color.match(/[\\d.]+/g).map(Number);
    const light = color => {
        const [r, g, b] = parts(color).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
        const [a, b] = [light(one), light(other)];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    };
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if ((parts(color)[3] ?? 1) > 0) return color;
        }
        return 'rgb(255, 255, 255)';
    };
    const found = [];
    const check = (what, ratio, least) => { if (ratio < least) found.push(`${what}: ${ratio.toFixed(2)}`); };
    for (const element of document.querySelectorAll('body *')) {
        const style = getComputedStyle(element);
        const says = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        const name = element.tagName + '.' + element.className;
        if (says || element.value) check(name, contrast(style.color, behind(element)), 4.5);
        if (element.matches('input:not([type=hidden]), textarea')) {
            check(name + ' edge', contrast(style.borderTopColor, behind(element.parentElement)), 3);
            check(name + ' placeholder', contrast(getComputedStyle(element, '::placeholder').color, behind(element)), 4.5);
        }
        if (element.matches('button, .action')) check(name + ' shape', contrast(style.backgroundColor, behind(element.parentElement)), 3);
    }
    return found;
})()";

/// What fingers press and is smaller than 44 px.
const SMALL: &str = "[...document.querySelectorAll('button, a, input:not([type=hidden]), textarea')]
    .filter(one => { const { width, height } = one.getBoundingClientRect(); return width < 44 || height < 44; })
    .map(one => one.outerHTML)";

/// By how much the page is wider than the screen.
const OVERHANG: &str =
    "document.documentElement.scrollWidth - document.documentElement.clientWidth";

async fn assert_fine(browser: &mut Chromium, what: &str) {
    assert_eq!(browser.ask(PALE).await, json!([]), "{what}");
    assert_eq!(browser.ask(SMALL).await, json!([]), "{what}");
    assert_eq!(browser.ask(OVERHANG).await, 0, "{what}");
}

/// Every field kind, with help, placeholders and a long name.
fn fields() -> Value {
    json!([
        {"slug": "subdomain", "label": "Subdomain", "type": "TEXT", "required": true, "placeholder": "your-company",
            "description": "The part before .acme.example in the address of your workspace."},
        {"slug": "api_key", "label": "API key", "type": "PASSWORD", "required": true,
            "description": "Settings → Developers → API keys. A key that may read contacts is enough."},
        {"slug": "port", "label": "Port", "type": "NUMBER", "placeholder": "443"},
        {"slug": "note", "label": "Certificate of your own authority", "type": "MULTI_LINE_TEXT",
            "placeholder": "-----BEGIN CERTIFICATE-----"},
    ])
}

#[tokio::test]
async fn it_is_legible_and_fits_on_every_screen() {
    let Some(program) = program() else { return };
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let form = declared(&alice, fields()).await;
    let oauth = config(&alice, "notion", "OAUTH2", json!({})).await;
    let plain = config(&alice, "notion", "NO_AUTH", json!({})).await;
    let back = json!({"callback_url": "https://app.example/connected"});
    let filled = link_with(&alice, &form, back.clone()).await;
    let used = link(&alice, &plain).await;
    let expired = link(&alice, &form).await;
    app.execute(&format!(
        "UPDATE link_tokens SET expires_at = now() - interval '1 minute' WHERE connection_id = \
         (SELECT connection_id FROM connections WHERE public_id = '{}')",
        expired.account
    ))
    .await;
    let at = |path: &str| format!("{}{path}", app.url());
    let pages = [
        ("oauth", at(&link(&alice, &oauth).await.path)),
        ("consent", at(&link_with(&alice, &plain, back).await.path)),
        ("expired", at(&expired.path)),
        ("unknown", at("/connect/lk_unknown")),
    ];
    let mut browser = Chromium::start(&program).await;
    for (screen, width, height, mobile, scheme) in [
        ("desktop", 1280, 900, false, "light"),
        ("desktop-dark", 1280, 900, false, "dark"),
        ("phone", 375, 812, true, "light"),
        ("phone-dark", 375, 812, true, "dark"),
        ("narrow", 320, 568, true, "light"),
    ] {
        browser.screen(width, height, mobile).await;
        browser.prefer(scheme).await;
        for (name, url) in &pages {
            browser.go(url).await;
            assert_fine(&mut browser, &format!("{name} on {screen}")).await;
            browser.picture(&format!("{name}-{screen}")).await;
        }
        browser.go(&at(&filled.path)).await;
        assert_fine(&mut browser, &format!("form on {screen}")).await;
        browser.picture(&format!("form-{screen}")).await;
        browser.type_into("#field-api_key", &canary()).await;
        browser.type_into("#field-port", "default").await;
        browser
            .type_into("#field-note", "-----BEGIN CERTIFICATE-----\nMIIB")
            .await;
        browser.click("button").await;
        assert_fine(&mut browser, &format!("faults on {screen}")).await;
        browser.picture(&format!("faults-{screen}")).await;
    }
    browser.go(&at(&used.path)).await;
    browser.click("button").await;
    for (screen, scheme) in [("desktop", "light"), ("desktop-dark", "dark")] {
        browser.screen(1280, 900, false).await;
        browser.prefer(scheme).await;
        assert_fine(&mut browser, &format!("success on {screen}")).await;
        browser.picture(&format!("success-{screen}")).await;
    }
    browser.end().await;
    app.finish().await;
}
