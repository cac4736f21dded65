//! `GET /user/`: the tenant's users, page by page; and `/user`, which leads there.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::failures::{Failures, Invalid};
use super::wire::query::{self, Integer, Limits};
use crate::domain::Service;
use crate::domain::error::Issue;
use crate::domain::user::{User, UserPage};
use crate::http::extract::{Authorized, ConnectionsRead, FromQuery, Query};
use crate::http::failure::Failure;
use crate::http::shape::Faults;
use crate::json::Number;

const PAGE_SIZE: Limits = Limits {
    min: 1,
    max: Some(1000),
    default: 50,
};
const PAGE_NUMBER: Limits = Limits {
    min: 1,
    max: None,
    default: 1,
};

// A page has a number of any size: `i128` is an integer without a format.
/// Which page.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Users per page.
    #[param(value_type = i64, minimum = 1, maximum = 1000, default = 50, required = false)]
    page_size: Integer,
    /// Which page, from 1.
    #[param(value_type = i128, minimum = 1, default = 1, required = false)]
    page_number: Integer,
}

impl FromQuery for PageQuery {
    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let (page_size, page_number) = faults.within("query", |faults| {
            (
                query::integer(pairs, "page_size", PAGE_SIZE, faults),
                query::integer(pairs, "page_number", PAGE_NUMBER, faults),
            )
        });
        let read = page_size.zip(page_number);
        faults.finish(read.map(|(page_size, page_number)| Self {
            page_size,
            page_number,
        }))
    }
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "GetAllUsersResponse")]
pub(super) struct GetAllUsersResponse {
    /// The users, first made first.
    users: Vec<UserInfo>,
    /// How many users there are on all pages.
    total_count: i64,
    /// Which page this is: the one that was asked for, however far beyond the last.
    #[schema(value_type = i128)]
    page: Number,
    /// How many users a page has.
    #[schema(value_type = i64)]
    page_size: Number,
    /// How many pages there are.
    total_pages: i64,
}

/// A user in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "UserInfo")]
struct UserInfo {
    /// The user, in your own words.
    user_id: String,
    /// When they were first connected to a server.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: OffsetDateTime,
}

impl From<User> for UserInfo {
    fn from(user: User) -> Self {
        Self {
            user_id: user.id,
            created_at: user.created_at,
        }
    }
}

impl GetAllUsersResponse {
    fn new(asked: &PageQuery, page: UserPage) -> Self {
        let size = asked.page_size.near().max(1);
        let rest = i64::from(page.total % size > 0);
        Self {
            users: page.users.into_iter().map(Into::into).collect(),
            total_count: page.total,
            page: asked.page_number.to_number(),
            page_size: asked.page_size.to_number(),
            total_pages: page.total / size + rest,
        }
    }
}

#[utoipa::path(
    get,
    path = "/user/",
    tag = "user",
    operation_id = "getAllUsers",
    summary = "Get All Users",
    description = "Lists your users, first made first. A user is made with the first connection.",
    security(("HTTPBearer" = [])),
    params(PageQuery),
    responses(
        (status = 200, description = "Successful Response", body = GetAllUsersResponse),
        Failures,
        Invalid
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsRead>,
    State(service): State<Service>,
    query: Query<PageQuery>,
) -> Result<Json<GetAllUsersResponse>, Failure> {
    let asked = query.valid()?;
    let page = service
        .users(&caller, asked.page_size.near(), asked.page_number.near())
        .await?;
    Ok(Json(GetAllUsersResponse::new(&asked, page)))
}
