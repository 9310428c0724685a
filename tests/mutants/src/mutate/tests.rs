use super::*;

/// The changes of a script whose first line, which Redis reads, stands apart.
fn changes(lua: &str) -> Vec<String> {
    let found = mutants(&format!("#!lua flags=allow-oom\n{lua}"));
    let in_lua = found.into_iter().filter(|mutant| mutant.line > 1);
    in_lua.map(|mutant| mutant.change).collect()
}

#[test]
fn a_condition_is_made_true_and_false() {
    for lua in ["if a then b() end", "while a do b() c() end"] {
        let found = changes(lua);
        assert_eq!(found[0], "`a` -> `true`", "{lua}");
        assert_eq!(found[1], "`a` -> `false`", "{lua}");
    }
    let found = changes("if a then b() elseif c then d() end");
    assert!(found.contains(&"`c` -> `false`".to_owned()), "{found:?}");
}

#[test]
fn the_only_statement_of_a_branch_is_deleted_by_its_condition() {
    let found = changes("if a then return b end");
    assert_eq!(found, ["`a` -> `true`", "`a` -> `false`"]);
    let found = changes("if a then b() else c() end");
    assert!(found.contains(&"`c()` deleted".to_owned()), "{found:?}");
}

#[test]
fn statements_are_deleted_and_declarations_are_not() {
    let found = changes("local a = 1\na = 2\nredis.call('SET', k, a)\nwhile a do break end");
    let deleted = found.iter().filter(|change| change.ends_with("deleted"));
    let wanted = [
        "`a = 2` deleted",
        "`redis.call('SET', k, a)` deleted",
        "`break` deleted",
    ];
    assert_eq!(deleted.collect::<Vec<_>>(), wanted);
}

#[test]
fn either_side_of_and_and_or_is_dropped() {
    let found = changes("local a = b and c or d");
    let wanted = [
        "`b and c or d` -> `b and c`",
        "`b and c or d` -> `d`",
        "`b and c` -> `b`",
        "`b and c` -> `c`",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn borders_signs_and_equality_change() {
    for (operator, other) in [
        ("<", "<="),
        ("<=", "<"),
        (">", ">="),
        (">=", ">"),
        ("==", "~="),
        ("~=", "=="),
        ("+", "-"),
        ("-", "+"),
    ] {
        let found = changes(&format!("local a = b {operator} c"));
        assert_eq!(found, [format!("`{operator}` -> `{other}`")]);
    }
}

#[test]
fn what_its_truth_shows_is_not_asked_again() {
    assert_eq!(changes("if not a then return b end").len(), 2);
    assert_eq!(changes("if a == b then return c end").len(), 2);
    assert_eq!(changes("if a < b then return c end").len(), 3);
}

#[test]
fn a_clamp_is_made_either_of_what_it_chooses_from() {
    let found = changes("local a = math.max(b, c)");
    assert_eq!(
        found,
        ["`math.max(b, c)` -> `b`", "`math.max(b, c)` -> `c`"]
    );
}

#[test]
fn a_removal_whose_answer_is_used_is_taken_for_done() {
    let found = changes("local a = redis.call('HDEL', k, f)");
    assert_eq!(found, ["`redis.call('HDEL', k, f)` -> `1`"]);
    assert!(changes("local a = redis.call('HGET', k, f)").is_empty());
}

#[test]
fn an_error_that_is_caught_is_let_go() {
    let found = changes("local a = redis.pcall('GET', k)");
    assert_eq!(found, ["`redis.pcall` -> `redis.call`"]);
    let found = changes("local a, b = pcall(c, d, ...)");
    assert_eq!(found, ["`pcall(c, d, ...)` -> `true, c(d, ...)`"]);
}

#[test]
fn negations_truths_and_the_last_round_of_a_loop_change() {
    assert_eq!(changes("local a = not b"), ["`not b` -> `b`"]);
    assert_eq!(changes("local a = true"), ["`true` -> `false`"]);
    assert_eq!(changes("for i = 1, #a do end"), ["`#a` -> `#a - (1)`"]);
    let found = changes("for i = #a, 1, -1 do end");
    assert_eq!(found, ["`1` -> `1 - (-1)`"]);
}

#[test]
fn the_flags_of_the_first_line_change() {
    let first = |lua| mutants(lua).remove(0).text;
    assert_eq!(
        first("#!lua flags=no-writes\nreturn 1\n"),
        "#!lua\nreturn 1\n"
    );
    assert_eq!(
        first("#!lua\nreturn 1\n"),
        "#!lua flags=allow-oom\nreturn 1\n"
    );
}

#[test]
fn a_mutant_says_where_it_is() {
    let found = mutants("#!lua\nlocal a = 1\n  a = a < 2\n");
    let mutant = found.iter().find(|mutant| mutant.change.contains("<="));
    let mutant = mutant.expect("the comparison is a border");
    assert_eq!((mutant.line, mutant.was.as_str()), (3, "a = a < 2"));
    assert_eq!(mutant.text, "#!lua\nlocal a = 1\n  a = a <= 2\n");
}

#[test]
fn no_mutant_stands_twice_and_none_is_its_script() {
    for script in crate::scripts() {
        let found = mutants(&script.source);
        let texts: HashSet<_> = found.iter().map(|mutant| &mutant.text).collect();
        assert_eq!(texts.len(), found.len(), "{}", script.name);
        assert!(!texts.contains(&script.source), "{}", script.name);
    }
}

#[test]
fn every_script_has_room_for_each_of_its_mutants() {
    for script in crate::scripts() {
        for mutant in mutants(&script.source) {
            let fitted = crate::script::fitted(&mutant.text, script.source.len());
            assert!(fitted.is_some(), "{}: {mutant:?}", script.name);
        }
    }
}
