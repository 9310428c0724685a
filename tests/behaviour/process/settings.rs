//! Flags, environment variables and the configuration file: which one wins.

use support::{RedisServer, Role};

use super::config_file::{ConfigFile, SECRET};
use super::run;
use crate::program::command;

/// A setting in each place it can be made, and what `--check` says where none, the file, the
/// variable, the flag decides.
struct Setting {
    key: &'static str,
    file: &'static str,
    variable: &'static str,
    flag: &'static str,
    told: [&'static str; 4],
}

const SETTINGS: [Setting; 7] = [
    Setting {
        key: "queues",
        file: "[\"a:2\", \"b\"]",
        variable: " c:3,d ",
        flag: "e",
        told: [
            "queues: default programs",
            "queues: a:2 b",
            "queues: c:3 d",
            "queues: e",
        ],
    },
    Setting {
        key: "strict",
        file: "true",
        variable: "no",
        flag: "true",
        told: [
            "programs\n",
            ", in this order",
            "programs\n",
            ", in this order",
        ],
    },
    Setting {
        key: "concurrency",
        file: "2",
        variable: "3",
        flag: "4",
        told: [
            "concurrency 64,",
            "concurrency 2,",
            "concurrency 3,",
            "concurrency 4,",
        ],
    },
    Setting {
        key: "shutdown_timeout",
        file: "\"2s\"",
        variable: "3s",
        flag: "4s",
        told: ["timeout 25s", "timeout 2s", "timeout 3s", "timeout 4s"],
    },
    Setting {
        key: "lease",
        file: "\"8s\"",
        variable: "9s",
        flag: "10s",
        told: ["lease 7s", "lease 8s", "lease 9s", "lease 10s"],
    },
    Setting {
        key: "renew_every",
        file: "\"1s\"",
        variable: "1500ms",
        flag: "3s",
        told: ["every 2s", "every 1s", "every 1500ms", "every 3s"],
    },
    Setting {
        key: "connections",
        file: "2",
        variable: "3",
        flag: "4",
        told: [
            "connections 1,",
            "connections 2,",
            "connections 3,",
            "connections 4,",
        ],
    },
];

#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file() {
    for setting in SETTINGS {
        let (key, told) = (setting.key, setting.told);
        let variable = format!("JOBQ_{}", key.to_uppercase());
        let flag = format!("--{}={}", key.replace('_', "-"), setting.flag);
        let file = ConfigFile::new(format!("{key} = {}", setting.file));
        for (by_file, by_variable, by_flag, expected) in [
            (false, false, false, told[0]),
            (true, false, false, told[1]),
            (false, true, false, told[2]),
            (false, false, true, told[3]),
            (true, true, false, told[2]),
            (true, false, true, told[3]),
            (false, true, true, told[3]),
            (true, true, true, told[3]),
        ] {
            let mut command = command();
            command.args(["--check", "--url", "memory://"]);
            if by_file {
                command.env("JOBQ_CONFIG", file.path());
            }
            if by_variable {
                command.env(&variable, setting.variable);
            }
            if by_flag {
                command.arg(&flag);
            }
            let (code, text) = run(&mut command);
            assert_eq!(code, Some(0), "{key}: {text}");
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}

#[tokio::test]
async fn the_broker_is_set_in_each_place_too() {
    let url = support::shared().url();
    let file = ConfigFile::new(format!("url = \"{url}\"\nnamespace = \"in-file\""));
    let mut command = command();
    let (_, text) = run(command.args(["--check", "--config", file.path()]));
    assert!(text.contains("?namespace=in-file"), "{text}");
    let (_, text) = run(command.env("JOBQ_NAMESPACE", "in-variable"));
    assert!(text.contains("?namespace=in-variable"), "{text}");
    let (_, text) = run(command.args(["--namespace", "in-flag"]));
    assert!(text.contains("?namespace=in-flag"), "{text}");
    let (code, text) = run(command.env("JOBQ_URL", "mysql://x"));
    assert_eq!(code, Some(78), "{text}");
    assert!(
        text.contains("mysql") && text.contains("(from JOBQ_URL)"),
        "{text}"
    );
    let (code, text) = run(command.args(["--url", "memory://"]));
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_namespace_in_the_url_wins_over_one_that_is_set_further_away() {
    let url = support::shared().url();
    let own = |place: &str| format!("{url}?namespace={place}");
    let plain = ConfigFile::new("namespace = \"file\"");
    let both = ConfigFile::new(format!("url = \"{}\"\nnamespace = \"file\"", own("url")));
    let (in_flag, in_variable) = (own("flag-url"), own("variable-url"));
    // The file, JOBQ_URL, JOBQ_NAMESPACE, --url, --namespace, and which wins.
    for (file, variable_url, variable, flag_url, flag, namespace) in [
        (&plain, "", "", url.as_str(), "", "file"),
        (&plain, "", "", &in_flag, "", "flag-url"),
        (&plain, &in_variable, "", "", "", "variable-url"),
        (&both, "", "", "", "", "file"),
        (&both, "", "variable", "", "", "variable"),
        (&both, &in_variable, "variable", "", "", "variable"),
        (&both, &in_variable, "variable", &url, "", "variable"),
        (&both, &in_variable, "variable", &in_flag, "", "flag-url"),
        (&both, &in_variable, "variable", &in_flag, "flag", "flag"),
    ] {
        let mut command = command();
        command.args(["--check", "--config", file.path()]);
        command
            .env("JOBQ_URL", variable_url)
            .env("JOBQ_NAMESPACE", variable);
        for (name, value) in [("--url", flag_url), ("--namespace", flag)] {
            if !value.is_empty() {
                command.args([name, value]);
            }
        }
        let (code, text) = run(&mut command);
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.contains(&format!("?namespace={namespace}")),
            "{namespace}: {text}"
        );
    }
}

/// The password of one user is not sent for another.
#[test]
fn a_login_in_the_url_wins_over_one_that_is_set_further_away() {
    let server = RedisServer::start();
    let url = server.url();
    let own = Role::Worker.log_in(&url);
    let (login, _) = own.rsplit_once('@').unwrap();
    let (_, password) = login.rsplit_once(':').unwrap();
    let user_alone = own.replacen(&format!(":{password}@"), "@", 1);
    let none = ConfigFile::new("");
    let file = ConfigFile::new("username = \"nobody\"\npassword = \"wrong\"");
    let in_file = ConfigFile::new(format!("url = \"{own}\""));
    let ann = [("USERNAME", "nobody"), ("PASSWORD", "wrong")];
    // The file, JOBQ_URL, what else is set, --url, and whether it logs in.
    for (file, variable_url, variables, flag_url, is_in) in [
        (&file, "", &[][..], url.as_str(), false),
        (&file, "", &[], &own, true),
        (&file, &own, &[], "", true),
        (&none, "", &ann, &url, false),
        (&none, "", &ann, &own, true),
        (&none, &own, &ann, "", false),
        (&in_file, "", &ann, "", false),
        (
            &none,
            "",
            &[("USERNAME", "nobody"), ("PASSWORD", password)],
            &user_alone,
            true,
        ),
        (&file, "", &[("PASSWORD", password)], &user_alone, true),
    ] {
        let mut command = command();
        command.args(["--check", "--config", file.path()]);
        command.env("JOBQ_URL", variable_url);
        for (name, value) in variables {
            command.env(format!("JOBQ_{name}"), value);
        }
        if !flag_url.is_empty() {
            command.args(["--url", flag_url]);
        }
        let (code, text) = run(&mut command);
        let expected = if is_in { 0 } else { 78 };
        assert_eq!(
            code,
            Some(expected),
            "{variable_url} {variables:?} {flag_url}: {text}"
        );
    }
}

/// It says where the login was set that was refused, and not what another took the place of.
#[test]
fn a_login_that_is_refused_is_told_with_its_place() {
    let server = RedisServer::start_with(&[("requirepass", SECRET)]);
    let url = server
        .url()
        .replacen("redis://", "redis://nobody:wrong@", 1);
    let mut command = command();
    command.args(["--check", "--url", &url]);
    command
        .env("JOBQ_USERNAME", "ann")
        .env("JOBQ_PASSWORD", SECRET);
    let (code, text) = run(&mut command);
    assert_eq!(code, Some(78), "{text}");
    assert!(
        text.contains("\"nobody\"") && text.contains("(from --url)"),
        "{text}"
    );
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn the_user_and_the_authorities_are_set_in_each_place_too() {
    let server = RedisServer::start_with(&[("requirepass", SECRET)]);
    let (ca_file, username) = ("ca_file", "username");
    for (key, url, told) in [
        (ca_file, "memory://", "ca_file is \"PLACE\""),
        (username, &server.url(), "user \"PLACE\""),
    ] {
        let file = ConfigFile::new(format!("{key} = \"in-file\"\npassword = \"x\""));
        let flag = format!("--{}", key.replace('_', "-"));
        let mut command = command();
        command.args(["--check", "--url", url, "--config", file.path()]);
        for place in ["in-file", "in-variable", "in-flag"] {
            match place {
                "in-variable" => command.env(format!("JOBQ_{}", key.to_uppercase()), place),
                "in-flag" => command.args([&flag, place]),
                _ => &mut command,
            };
            let (code, text) = run(&mut command);
            let told = told.replace("PLACE", place);
            assert_eq!(code, Some(78), "{text}");
            assert!(text.contains(&told), "{told}: {text}");
        }
    }
}

#[test]
fn logs_are_set_in_each_place_too() {
    let file = ConfigFile::new("log = \"off\"\nlog_format = \"json\"\nconcurrency = 0");
    let mut command = command();
    let (_, text) = run(command.args(["--config", file.path()]));
    assert!(text.starts_with("error: concurrency"), "{text}");
    let (_, text) = run(command.env("JOBQ_LOG", "info"));
    assert!(text.starts_with('{'), "{text}");
    let (_, text) = run(command.env("JOBQ_LOG_FORMAT", "text"));
    assert!(text.contains("ERROR") && !text.contains('{'), "{text}");
    let (_, text) = run(command.args(["--log-format", "json"]));
    assert!(text.starts_with('{'), "{text}");
    let (_, text) = run(command.args(["--log", "off"]));
    assert!(text.starts_with("error: concurrency"), "{text}");
}

#[test]
fn a_password_is_taken_from_the_environment_before_the_file() {
    let server = RedisServer::start_with(&[("requirepass", SECRET)]);
    let file = |password: &str| {
        let url = server.url();
        ConfigFile::new(format!("url = \"{url}\"\npassword = \"{password}\""))
    };
    let (right, wrong) = (file(SECRET), file("wrong"));
    for (file, variable, expected) in [
        (&right, None, 0),
        (&wrong, None, 78),
        (&wrong, Some(SECRET), 0),
        (&right, Some("wrong"), 78),
        (&right, Some(""), 0),
    ] {
        let mut command = command();
        command.args(["--check", "--config", file.path()]);
        command.envs(variable.map(|password| ("JOBQ_PASSWORD", password)));
        let (code, text) = run(&mut command);
        assert_eq!(code, Some(expected), "{text}");
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let mut command = command();
    command.args(["--check", "--url", "memory://"]);
    let (_, without) = run(&mut command);
    for variable in [
        "URL",
        "QUEUES",
        "STRICT",
        "CONCURRENCY",
        "CONFIG",
        "LOG",
        "CA_FILE",
    ] {
        command.env(format!("JOBQ_{variable}"), "");
    }
    let (code, text) = run(&mut command);
    assert_eq!(code, Some(0), "{text}");
    let told = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("ok: "));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(told(&text), told(&without));
}
