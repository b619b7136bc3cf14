//! Logs of plain entries, which are read on a way of their own.

use serde_json::Value;

const SAMPLE: &str = include_str!("../tests/it/samples/webhook_logs.json");

/// Members in another order, brackets in brackets, escapes, brackets in texts, numbers and spaces of every kind.
const FULL: &str = r#"{"__v":0,"event":{"diff":{"/a":{"previous":[[],{}],"changedTo":[{"b":["]}",-1.5e-3,{"c":"\\"}]},null]}},"event":"edit","type":"COTUser","data":{"name":{"names":"N\u00faria \"Nu\"","_id":"no"},"list":[1,[2,[3]],"a\\"],"n":-0.5E+2,"x":"\"{[","_id":"62742b7562f37034d9399914","empty":{},"t":true,"ключ":"設備 \\","fill":"line\nback\\slash \u00e9t\u00e9 {not json} [3] checked, \"north\" and back","none":[ ]},"createdAt":"2024-02-29T23:59:59.999Z","extraData":{"userId":"62742b7562f37034d9399915"},"company":"625bcbdcc9a8e3a86dbf041c"},"retry":0,"status":200,"response":"{\"ok\":[true]}","createdAt":"2024-03-01T00:00:00.000Z","_id":"62742DD824C886D54E60F02B","subscription":"62685990d918fb5557f9f992"}"#;

/// Hardly any members, and a response that says why it failed.
const SHORT: &str = "{\"_id\" : \"62742dd824c886d54e60f02c\" ,\n\t\"createdAt\":\"2022-05-05T20:04:40.084Z\",\"status\":409,\"event\":{\"extraData\":{\"userId\":null,\"timestamp\":\"2022\"},\"createdAt\":\"1970-01-01T00:00:00.000Z\",\"data\":null,\"event\":\"logout\"}\r, \"response\":\"self signed certificate\"}";

/// One log of each kind.
pub(crate) fn logs() -> Vec<Vec<u8>> {
    let sample = serde_json::from_str::<Value>(SAMPLE).expect("the sample");
    let logs = [format!("{sample}"), SAMPLE.to_owned(), format!("[{FULL},{SHORT}]"), format!("[{SHORT} ,{FULL}\n]")];
    logs.map(String::into_bytes).into()
}
