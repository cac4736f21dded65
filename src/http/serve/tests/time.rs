use super::*;

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = Server::start(short()).await;
    within(
        server
            .client(|mut stream| until_closed(&mut stream))
            .await
            .unwrap(),
        250,
        3_000,
    );
}

#[tokio::test]
async fn slow_headers_are_cut_from_their_first_byte() {
    let server = Server::start(short()).await;
    for text in [
        "GET / HTTP/1.1\r\nHost: a\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "PRI * HTTP/2.0\r\n\r\nSM",
    ] {
        let took = server.client(move |mut stream| {
            let mut half = stream.try_clone().unwrap();
            let dripping = std::thread::spawn(move || {
                for byte in text.bytes() {
                    half.write_all(&[byte]).ok();
                    std::thread::sleep(Duration::from_millis(40));
                }
            });
            let took = until_closed(&mut stream);
            drop(stream);
            dripping.join().unwrap();
            took
        });
        within(took.await.unwrap(), 250, 1_800);
    }
}

#[tokio::test]
async fn slow_headers_are_cut_on_a_reused_connection_too() {
    let server = Server::start(Limits {
        idle: Duration::from_secs(4),
        ..short()
    })
    .await;
    let took = server.client(|mut stream| {
        ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        std::thread::sleep(Duration::from_millis(500));
        stream.write_all(b"GET / HT").unwrap();
        until_closed(&mut stream)
    });
    within(took.await.unwrap(), 250, 2_500);
}

#[tokio::test]
async fn a_slow_body_is_answered_in_time() {
    let server = Server::start(short()).await;
    let answered = server.client(|mut stream| {
        let began = std::time::Instant::now();
        let text = ask(
            &mut stream,
            "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
        );
        (text, began.elapsed())
    });
    let (text, took) = answered.await.unwrap();
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    within(took, 350, 3_000);
}

#[tokio::test]
async fn an_idle_connection_outlives_the_header_time_and_is_closed_at_its_own() {
    let server = Server::start(short()).await;
    let took = server.client(|mut stream| {
        ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        std::thread::sleep(Duration::from_millis(600));
        let again = ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(again.ends_with("127.0.0.1"), "{again}");
        until_closed(&mut stream)
    });
    within(took.await.unwrap(), 800, 4_000);
}

#[tokio::test]
async fn a_running_request_is_not_cut_by_the_idle_time() {
    let server = Server::start(short()).await;
    let text =
        server.client(|mut stream| ask(&mut stream, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert!(text.await.unwrap().ends_with("slow"));
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let server = Server::start(Limits {
        connections: 1,
        ..short()
    })
    .await;
    let stalled = server.client(|mut stream| {
        stream
            .write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        std::thread::sleep(Duration::from_secs(3));
    });
    sleep(Duration::from_millis(100)).await;
    let took = server.client(|mut stream| {
        let began = std::time::Instant::now();
        assert!(ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("127.0.0.1"));
        began.elapsed()
    });
    within(took.await.unwrap(), 500, 2_500);
    stalled.await.unwrap();
}

#[tokio::test]
async fn an_idle_http2_connection_is_told_and_closed() {
    let server = Server::start(short()).await;
    let (received, took) = server
        .client(|mut stream| {
            let began = std::time::Instant::now();
            stream
                .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
                .unwrap();
            let mut received = Vec::new();
            stream.read_to_end(&mut received).unwrap();
            (received, began.elapsed())
        })
        .await
        .unwrap();
    within(took, 800, 4_000);
    let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0];
    assert!(
        received.windows(9).any(|bytes| bytes == goaway),
        "no GOAWAY frame"
    );
}
