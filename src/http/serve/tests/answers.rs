use super::*;

fn post(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

/// Writes all it has before it reads, whatever happens, as many clients do. Gives the answer, and
/// whether the connection ended without a reset.
fn stubborn(mut stream: TcpStream, head: &str, body: &[u8], pause: u64) -> (String, bool) {
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(pause));
    let written = stream.write_all(body).is_ok();
    let text = answer(&mut stream);
    (text, written && matches!(stream.read(&mut [0]), Ok(0)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let server = Server::start(short()).await;
    for round in 0..30 {
        for size in [200 * 1024, 900 * 1024] {
            let talk = move |stream| {
                stubborn(
                    stream,
                    &post("/refused", size),
                    &vec![b'x'; size],
                    round % 3 * 15,
                )
            };
            let (text, orderly) = server.client(talk).await.unwrap();
            assert!(
                text.starts_with("HTTP/1.1 401") && text.ends_with("refused"),
                "{text}"
            );
            assert!(orderly, "{size} bytes met a reset");
        }
    }
}

/// Beyond the bound the connection is reset, but late: the answer has long been there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_answer_reaches_a_client_that_sends_far_too_much() {
    let server = Server::start(short()).await;
    for pause in [0, 1, 30] {
        let body = vec![b'x'; 16 * 1024 * 1024];
        let chunked =
            "POST /refused HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1000000\r\n";
        for head in [
            post("/refused", body.len()),
            post("/read", body.len()),
            chunked.to_owned(),
        ] {
            let body = body.clone();
            let began = std::time::Instant::now();
            let talk = move |stream| stubborn(stream, &head, &body, pause);
            let (text, _) = server.client(talk).await.unwrap();
            assert!(text.starts_with("HTTP/1.1 4"), "{text}");
            // The whole time is granted to a client that goes on sending.
            within(began.elapsed(), 250, 5_000);
        }
    }
}

#[tokio::test]
async fn bodies_are_bounded_in_bytes() {
    let server = Server::start(short()).await;
    let fits = server.client(|mut stream| {
        let text = post("/read", 256 * 1024) + &"x".repeat(256 * 1024);
        ask(&mut stream, &text)
    });
    assert!(fits.await.unwrap().ends_with("262144"));
    // Refused by its announcement: not a byte of the body is sent.
    let announced = server.client(|mut stream| ask(&mut stream, &post("/read", 256 * 1024 + 1)));
    assert!(announced.await.unwrap().starts_with("HTTP/1.1 413"));
    let chunked = server.client(|mut stream| {
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let head = "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        ask(&mut stream, &format!("{head}{}0\r\n\r\n", chunk.repeat(5)))
    });
    assert!(chunked.await.unwrap().starts_with("HTTP/1.1 413"));
    let broken = server.client(|mut stream| {
        ask(
            &mut stream,
            "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        )
    });
    assert!(broken.await.unwrap().starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_small_body_that_nobody_read_keeps_the_connection() {
    let server = Server::start(short()).await;
    let texts = server.client(|mut stream| {
        let request = post("/refused", 100) + &"x".repeat(100);
        [ask(&mut stream, &request), ask(&mut stream, &request)]
    });
    for text in texts.await.unwrap() {
        assert!(text.ends_with("refused"), "{text}");
    }
}

/// As from a client that writes head and body apart.
#[tokio::test]
async fn a_small_body_that_comes_a_little_later_keeps_the_connection_too() {
    let server = Server::start(short()).await;
    let texts = server.client(|mut stream| {
        [1, 5, 0].map(|pause| {
            let head = post("/refused", 100);
            stream.write_all(head.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(pause));
            ask(&mut stream, &"x".repeat(100))
        })
    });
    for text in texts.await.unwrap() {
        assert!(text.ends_with("refused"), "{text}");
        assert!(!text.contains("connection: close"), "{text}");
    }
}

/// A client that keeps connections would send its next request on this one.
#[tokio::test]
async fn an_answer_before_the_body_says_that_the_connection_ends() {
    let server = Server::start(short()).await;
    let chunked =
        "POST /refused HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n";
    let asking = post("/refused", 100).replacen("Host", "Expect: 100-continue\r\nHost", 1);
    for head in [
        post("/refused", 100),
        post("/refused", 200 * 1024),
        post("/read", 300 * 1024),
        chunked.to_owned(),
        asking,
    ] {
        let text = server.client(move |mut stream| ask(&mut stream, &head));
        let text = text.await.unwrap();
        assert!(text.starts_with("HTTP/1.1 4"), "{text}");
        assert!(text.contains("connection: close"), "{text}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(short()).await;
    let texts = server.client(|mut stream| {
        let first = post("/read", 3) + "abc";
        let request = format!(
            "{first}GET / HTTP/1.1\r\nHost: a\r\n\r\n{}",
            post("/read", 4) + "abcd"
        );
        [
            ask(&mut stream, &request),
            answer(&mut stream),
            answer(&mut stream),
        ]
    });
    let texts = texts.await.unwrap();
    for (text, end) in texts.iter().zip(["\r\n3", "127.0.0.1", "\r\n4"]) {
        assert!(
            text.starts_with("HTTP/1.1 200") && text.ends_with(end),
            "{text}"
        );
    }
}

#[tokio::test]
async fn http2_is_served_with_prior_knowledge() {
    let server = Server::start(short()).await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let url = |path: &str| format!("http://{}{path}", server.address);
    let many = (0..300).map(|_| {
        let answer = client.get(url("/")).send();
        tokio::spawn(async move {
            let answer = answer.await.unwrap();
            assert_eq!(answer.version(), http::Version::HTTP_2);
            assert_eq!(answer.text().await.unwrap(), "127.0.0.1");
        })
    });
    futures_util::future::try_join_all(many).await.unwrap();
    for (path, status) in [("/refused", 401), ("/read", 413)] {
        for _ in 0..5 {
            let answer = client
                .post(url(path))
                .body(vec![b'x'; 5 * 1024 * 1024])
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), status);
        }
    }
    let body = client
        .post(url("/read"))
        .body(vec![b'x'; 256 * 1024])
        .send()
        .await
        .unwrap();
    assert_eq!(body.text().await.unwrap(), "262144");
}

#[tokio::test]
async fn oversized_heads_are_refused() {
    let server = Server::start(short()).await;
    for fields in [
        "X: y\r\n".repeat(101),
        format!("X: {}\r\n", "y".repeat(40_000)),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let text = server.client(move |mut stream| {
            stream.write_all(request.as_bytes()).ok();
            answer(&mut stream)
        });
        assert!(text.await.unwrap().starts_with("HTTP/1.1 431"));
    }
}
