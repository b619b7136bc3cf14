//! JSON that the exporter gives, held against the schemas in `docs/`.

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{name}.schema.json"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON")
}

fn validator(name: &str) -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema(name)).expect("a sound schema")
}

/// Panics unless the document fits the schema with this name.
#[track_caller]
pub(crate) fn assert_valid(name: &str, document: &Value) {
    let faults: Vec<String> =
        validator(name).iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{document:#}");
}

/// The control: a document with one fault more is refused, whatever part it is in.
#[track_caller]
pub(crate) fn assert_is_strict(name: &str, document: &Value) {
    let validator = validator(name);
    let document = &sample(document);
    assert!(validator.is_valid(document));
    let mut places = 0;
    for pointer in objects("", document) {
        let mut more = document.clone();
        let object = more.pointer_mut(&pointer).and_then(Value::as_object_mut).expect("an object");
        let keys: Vec<String> = object.keys().cloned().collect();
        object.insert("unknown".to_owned(), Value::Null);
        assert!(!validator.is_valid(&more), "{pointer}: a further field is allowed");
        for key in keys {
            let mut less = document.clone();
            less.pointer_mut(&pointer).and_then(Value::as_object_mut).expect("an object").remove(&key);
            assert!(!validator.is_valid(&less), "{pointer}/{key} may be missing");
            places += 1;
        }
    }
    assert!(places > 10, "the document shows too little: {document:#}");
}

/// The document with the first item of each list only: the others are checked the same way.
fn sample(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), sample(value))).collect(),
        Value::Array(items) => items.iter().take(1).map(sample).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Pointers to all objects in a document.
fn objects(pointer: &str, value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let own = value.is_object().then(|| pointer.to_owned());
    own.into_iter()
        .chain(inner.into_iter().flat_map(|(key, value)| objects(&format!("{pointer}/{key}"), value)))
        .collect()
}
