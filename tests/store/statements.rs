//! Every statement holds against the schema, and its role may run it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnection;
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Executor as _, SqlSafeStr as _, Statement as _,
};

use crate::common;
use crate::common::statements::{of_auth, of_jobs, of_login, of_tenants};

/// Prepares the statement in the role, and plans it with nulls: preparing finds what is not in the schema, planning
/// asks for the rights.
async fn hold(connection: &mut PgConnection, role: &str, statements: Vec<&'static str>) {
    let switch = format!("SET ROLE {role}");
    connection.execute(AssertSqlSafe(switch)).await.unwrap();
    for statement in statements {
        assert!(
            statement.starts_with("-- "),
            "{statement} does not begin with its name"
        );
        let prepared = connection.prepare(statement.into_sql_str()).await;
        let prepared =
            prepared.unwrap_or_else(|error| panic!("{role} cannot prepare {statement}: {error}"));
        let parameters = match prepared.parameters() {
            Some(Either::Left(types)) => types.len(),
            Some(Either::Right(count)) => count,
            None => 0,
        };
        let nulls = vec!["NULL"; parameters].join(", ");
        let nulls = if nulls.is_empty() {
            nulls
        } else {
            format!("({nulls})")
        };
        let planned = format!(
            "PREPARE planned AS {statement}; EXPLAIN EXECUTE planned{nulls}; DEALLOCATE planned"
        );
        let planned = connection
            .execute(sqlx::raw_sql(AssertSqlSafe(planned)))
            .await;
        planned.unwrap_or_else(|error| panic!("{role} may not run {statement}: {error}"));
    }
    connection.execute("RESET ROLE").await.unwrap();
}

#[tokio::test]
async fn every_statement_fits_the_schema_and_its_role() {
    let database = common::database().await;
    let mut connection = PgConnection::connect_with(&database.login()).await.unwrap();
    let (tenants, jobs, login) = (of_tenants(), of_jobs(), of_login());
    assert!(tenants.len() > 30 && jobs.len() > 20 && login.len() > 5);

    hold(&mut connection, "keyway_tenant", tenants).await;
    hold(&mut connection, "keyway_jobs", jobs).await;
    hold(&mut connection, "keyway_auth", of_auth()).await;
    hold(&mut connection, "NONE", login).await;
}

#[test]
fn statements_have_different_names() {
    let mut names: Vec<_> = [of_tenants(), of_jobs(), of_auth(), of_login()]
        .concat()
        .into_iter()
        .map(|statement| statement.lines().next().unwrap())
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// The text of every module of the store, the files of its folder with it, by its name.
fn sources() -> Vec<(String, String)> {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    for path in files(&store) {
        let within = path.strip_prefix(&store).unwrap().with_extension("");
        let module = within.iter().next().unwrap();
        let text = sources.entry(module.to_string_lossy().into_owned());
        text.or_default()
            .push_str(&std::fs::read_to_string(path).unwrap());
    }
    sources.into_iter().collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| match path.extension() {
            None => files(&path),
            Some(extension) if extension == "rs" => vec![path],
            Some(_) => Vec::new(),
        })
        .collect()
}

/// The names of the constants that hold SQL, which begins with its name.
fn constants(text: &str) -> Vec<&str> {
    let declared = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        })
        .filter(|(_, line)| line.starts_with("const ") || line.starts_with("pub(super) const "))
        .filter_map(|(start, line)| Some(&text[start + line.find("const ")? + 6..]));
    declared
        .filter_map(|rest| {
            let (head, value) = rest.split_once('=')?;
            let value = value
                .trim_start()
                .trim_start_matches("concat!(")
                .trim_start();
            let value = value.trim_start_matches('[').trim_start();
            value.starts_with("\"-- ").then(|| head.split(':').next())?
        })
        .collect()
}

/// A statement that is missing from its file's list is checked by nothing.
#[test]
fn every_statement_is_in_a_list_and_every_list_is_checked() {
    // These two look at the catalogue in a transaction without a tenant; their own tests run them.
    let without_list = ["health", "schema_check"];
    let listed_here = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/statements.rs"),
    )
    .unwrap();
    let mut found = 0;
    for (file, text) in sources() {
        if without_list.contains(&file.as_str()) {
            continue;
        }
        for list in [
            "STATEMENTS",
            "JOB_STATEMENTS",
            "AUTH_STATEMENTS",
            "LOGIN_STATEMENTS",
        ] {
            if text.contains(&format!("pub const {list}:")) {
                assert!(
                    listed_here.contains(&format!("{file}::{list}")),
                    "{file}::{list} is checked by no test"
                );
            }
        }
        let lists: String = text
            .split("STATEMENTS: &[&str] =")
            .skip(1)
            .filter_map(|rest| rest.split_once("];"))
            .map(|(list, _)| list)
            .collect();
        for name in constants(&text) {
            let listed = lists
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .any(|word| word == name);
            assert!(listed, "{file}.rs: {name} is in no list of statements");
            found += 1;
        }
    }
    assert!(
        found > 50,
        "only {found} statements were found in the source"
    );
}
