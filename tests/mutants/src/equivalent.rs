//! Mutants that do what their script does, so that no test can fail. Keyed by the text of the line:
//! who changes the line has to look again.

/// Script, line, change, and why nothing differs.
const EQUIVALENT: &[(&str, &str, &str, &str)] = &[
    (
        "adopt",
        "return x[1] < y[1]",
        "`<` -> `<=`",
        "only what differs is compared there",
    ),
    (
        "cancel",
        "counts = string.format('%.0f', counts)",
        "`counts = string.format('%.0f', counts)` deleted",
        "Redis 7.0 writes a time out in full by itself; a server that writes 1e15 would refuse it",
    ),
    (
        "claim",
        "if tonumber(first[2]) <= now then",
        "`<=` -> `<`",
        WITHIN_ONE_MILLISECOND,
    ),
    (
        "promote",
        "if first[1] and tonumber(first[2]) <= now then",
        "`<=` -> `<`",
        WITHIN_ONE_MILLISECOND,
    ),
    (
        "register",
        "if not seen or seen + lasts < now then",
        "`<` -> `<=`",
        WITHIN_ONE_MILLISECOND,
    ),
    (
        "settle",
        "local others = #ARGV >= first_other",
        "`>=` -> `>`",
        "each of the others is two arguments at the least",
    ),
    (
        "settle",
        "redis.call('HLEN', inflight)",
        "`redis.call('HLEN', inflight)` deleted",
        "the first write is an HDEL there, which fails alike with nothing moved",
    ),
    (
        "settle",
        "if new_first and (not first_due or tonumber(new_first) < tonumber(first_due)) then",
        "`new_first and (not first_due or tonumber(new_first) < tonumb…` -> `(not first_due or tonumber(new_first) < tonumber(first_due))`",
        "to publish nothing is refused, and that is passed over",
    ),
    (
        "settle",
        "local envelope = kept and redis.call('HGET', inflight, token)",
        "`kept and redis.call('HGET', inflight, token)` -> `redis.call('HGET', inflight, token)`",
        "what is read for the others is overwritten, or not used",
    ),
    (
        "settle",
        "if count <= cap_count and bytes <= cap_bytes and not (died and now - died > cap_age) then",
        "`>` -> `>=`",
        WITHIN_ONE_MILLISECOND,
    ),
    (
        "delay",
        "if not first or tonumber(due) < tonumber(first) then",
        "`<` -> `<=`",
        "of two equal times either is the first",
    ),
    (
        "count",
        "redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2] or false,",
        "`false` -> `true`",
        "what is no text is no time, whatever else it is; nothing would end the reply",
    ),
    (
        "withdraw",
        "if math.min(place, behind) <= near then",
        "`<=` -> `<`",
        "either way takes it out; what one of them costs does not change from one place to the next",
    ),
    (
        "withdraw",
        "redis.call('LREM', list, place < behind and -1 or 1, element)",
        "`<` -> `<=`",
        "as far from one end as from the other",
    ),
    (
        "withdraw",
        "if not redis.acl_check_cmd('LSET', list, '0', '') then redis.call('LSET', list, -1 - place, element) end",
        "`not redis.acl_check_cmd('LSET', list, '0', '')` -> `true`",
        "what is written stands there already",
    ),
    (
        "withdraw",
        "if not redis.acl_check_cmd('LSET', list, '0', '') then redis.call('LSET', list, -1 - place, element) end",
        "`-` -> `+`",
        "it is refused, whatever the place",
    ),
];

const WITHIN_ONE_MILLISECOND: &str =
    "differs while the clock shows one certain millisecond, which no test can wait for";

/// Why no test can tell the mutant from its script, where that is so.
pub(crate) fn reason(script: &str, line: &str, change: &str) -> Option<&'static str> {
    let found = EQUIVALENT
        .iter()
        .find(|entry| (entry.0, entry.1, entry.2) == (script, line, change));
    found.map(|entry| entry.3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mutants, scripts};

    #[test]
    fn every_entry_names_a_mutant_that_there_is() {
        let scripts = scripts();
        for (name, line, change, _) in EQUIVALENT {
            let script = scripts.iter().find(|script| script.name == *name);
            let script = script.unwrap_or_else(|| panic!("there is no {name}.lua"));
            let is_meant = mutants(&script.source)
                .iter()
                .any(|mutant| mutant.was == *line && mutant.change == *change);
            assert!(is_meant, "{name}.lua has no `{line}` with {change}");
        }
    }
}
