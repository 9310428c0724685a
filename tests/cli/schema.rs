//! Holds what a command prints against its part of the documented schema. Only what that uses of
//! JSON Schema is known here; anything else fails, so that the schema says nothing unchecked.

use serde_json::Value;

const SCHEMA: &str = include_str!("../../docs/reference/cli.schema.json");

/// Checks a document of the command of this name.
pub(crate) fn check(command: &str, document: &Value) {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let part = &schema["$defs"][command];
    assert!(part.is_object(), "the schema has no {command:?}");
    if let Err(wrong) = hold(&schema, part, document, "$") {
        panic!("{command}: {wrong}\n{document:#}");
    }
}

fn hold(schema: &Value, part: &Value, value: &Value, at: &str) -> Result<(), String> {
    for (keyword, rule) in part.as_object().expect("a schema is an object") {
        let holds = match keyword.as_str() {
            "$ref" => {
                let name = rule.as_str().and_then(|name| name.strip_prefix("#/$defs/"));
                let other = &schema["$defs"][name.expect("a reference names a definition")];
                hold(schema, other, value, at)?;
                true
            }
            "type" => match rule {
                Value::Array(kinds) => kinds.iter().any(|kind| is(kind, value)),
                kind => is(kind, value),
            },
            "enum" => rule.as_array().is_some_and(|some| some.contains(value)),
            "minimum" => value.is_null() || value.as_f64() >= rule.as_f64(),
            "format" => {
                assert_eq!(rule, "date-time");
                value
                    .as_str()
                    .is_none_or(|text| text.parse::<jobq::Timestamp>().is_ok())
            }
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    hold(schema, rule, item, &format!("{at}[{place}]"))?;
                }
                true
            }
            "required" => rule.as_array().into_iter().flatten().all(|name| {
                let name = name.as_str().expect("a name is a text");
                value.get(name).is_some()
            }),
            "properties" => {
                for (name, rule) in rule.as_object().expect("rules by name") {
                    if let Some(field) = value.get(name) {
                        hold(schema, rule, field, &format!("{at}.{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => others(schema, part, rule, value, at)?,
            other => panic!("{other} is not checked"),
        };
        if !holds {
            return Err(format!("{at} does not hold {keyword}: {rule}"));
        }
    }
    Ok(())
}

/// The fields that the schema does not name.
fn others(
    schema: &Value,
    part: &Value,
    rule: &Value,
    value: &Value,
    at: &str,
) -> Result<bool, String> {
    let fields = value.as_object().into_iter().flatten();
    for (name, field) in fields.filter(|(name, _)| part["properties"].get(name).is_none()) {
        match rule {
            Value::Bool(false) => return Err(format!("{at}.{name} is not in the schema")),
            rule => hold(schema, rule, field, &format!("{at}.{name}"))?,
        }
    }
    Ok(true)
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        other => panic!("{other:?} is no type"),
    }
}

#[test]
fn what_does_not_fit_is_found() {
    use serde_json::json;
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let hold = |name: &str, value: &Value| hold(&schema, &schema["$defs"][name], value, "$");
    let good = json!({ "queues": ["a"], "paused": true, "error": null });
    assert_eq!(hold("queues pause", &good), Ok(()));
    for (bad, named) in [
        (json!({ "queues": ["a"], "paused": true }), "required"),
        (
            json!({ "queues": [1], "paused": true, "error": null }),
            "$.queues[0]",
        ),
        (
            json!({ "queues": [], "paused": 1, "error": null }),
            "$.paused",
        ),
        (
            json!({ "queues": [], "paused": true, "error": "", "x": 1 }),
            "$.x",
        ),
        (json!([]), "$ does not hold"),
    ] {
        let error = hold("queues pause", &bad).unwrap_err();
        assert!(error.contains(named), "{error}");
    }
    assert!(hold("time", &json!("soon")).is_err());
    assert!(hold("count", &json!(-1)).is_err());
    assert!(hold("state", &json!("done")).is_err());
    assert!(hold("counts", &json!({ "a": "b" })).is_err());
}
