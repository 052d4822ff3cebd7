// What a Go driver (pgx) sees, one line a check; the same lines are expected over any way to the same server. PORT DATABASE CA: the checks; PORT
// DATABASE CA NAME: ordinary work until the input ends, then what came of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const plain = "sslmode=disable"

var all = context.Background()

func verified() string {
	return "sslmode=verify-full&sslrootcert=" + os.Args[3]
}

func connect(user, password, more string) (*pgx.Conn, error) {
	return pgx.Connect(all, fmt.Sprintf("postgres://%s:%s@127.0.0.1:%s/%s?%s", user, password, os.Args[1], os.Args[2], more))
}

func must(more string) *pgx.Conn {
	at, err := connect("drivers", "drivers", more)
	if err != nil {
		fmt.Println("connect:", err)
		os.Exit(1)
	}
	return at
}

func state(err error) string {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return fmt.Sprintf("%s %s %d", said.Code, said.Message, said.Position)
	}
	if err == nil {
		return "ok"
	}
	return fmt.Sprintf("%T", err)
}

func login(name, user, password, more string) {
	at, err := connect(user, password, more)
	if err != nil {
		fmt.Printf("%s: %s\n", name, state(err))
		return
	}
	defer at.Close(all)
	var who string
	err = at.QueryRow(all, "SELECT current_user || length(repeat('x', 200000))").Scan(&who)
	fmt.Printf("%s: %s %s\n", name, who, state(err))
}

func cancel(name, more string) {
	const sleep = "SELECT pg_sleep(60)"
	at, other := must(more), must(plain)
	defer at.Close(all)
	defer other.Close(all)
	struck := make(chan struct{})
	go func() {
		running := 0
		for running == 0 {
			_ = other.QueryRow(all, "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'active'", sleep).Scan(&running)
		}
		_ = at.PgConn().CancelRequest(all)
		close(struck)
	}()
	_, err := at.Exec(all, sleep)
	<-struck
	var one int
	again := at.QueryRow(all, "SELECT 1").Scan(&one)
	fmt.Printf("%s: %s | %d %s\n", name, state(err), one, state(again))
}

func work(name string) {
	var over atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		over.Store(true)
	}()
	idle, busy := must(plain), must(plain)
	var twice, done, there int
	err := idle.QueryRow(all, "SELECT $1::int * 2", 1).Scan(&twice)
	fmt.Println("ready")
	for err == nil && !over.Load() {
		if _, err = busy.Exec(all, "INSERT INTO public.work VALUES ($1, $2)", name, done); err != nil {
			break
		}
		done++
		if done%50 == 0 {
			batch := &pgx.Batch{}
			for i := 0; i < 10; i++ {
				batch.Queue("INSERT INTO public.work VALUES ($1, $2)", name, done+i)
			}
			if err = busy.SendBatch(all, batch).Close(); err == nil {
				done += 10
			}
		}
	}
	if err == nil {
		err = idle.QueryRow(all, "SELECT $1::int * 2", 21).Scan(&twice)
	}
	if err == nil {
		err = idle.QueryRow(all, "SELECT count(*) FROM public.work WHERE driver = $1", name).Scan(&there)
	}
	fmt.Printf("work: %d acknowledged, %d there, idle connection answers %d", done, there, twice)
	if err != nil {
		fmt.Printf(", %v", err)
	}
	fmt.Println()
}

func main() {
	if len(os.Args) > 4 {
		work(os.Args[4])
		return
	}
	login("wrong password", "drivers", "wrong", plain)
	login("no such user", "nobody_here", "wrong", plain)
	login("SCRAM", "drivers", "drivers", plain)
	login("md5", "old", "elderly", plain)
	login("md5, wrong password", "old", "young", plain)
	login("TLS, verified", "drivers", "drivers", verified())
	login("TLS, negotiated directly", "drivers", "drivers", verified()+"&sslnegotiation=direct")
	login("TLS, another authority", "drivers", "drivers", "sslmode=verify-full")
	login("TLS, wrong password", "drivers", "wrong", verified())
	login("channel binding", "drivers", "drivers", verified()+"&channel_binding=require")
	login("channel binding without TLS", "drivers", "drivers", plain+"&channel_binding=require")
	login("md5 over TLS", "old", "elderly", verified())
	at := must(plain)
	defer at.Close(all)

	sum := 0
	var err error
	for i := 0; i < 8; i++ {
		var n int
		err = at.QueryRow(all, "SELECT $1::int * 2", i).Scan(&n)
		sum += n
	}
	fmt.Println("prepared:", sum, state(err))

	var text string
	err = at.QueryRow(all, "SELECT 'simple ' || $1::text", pgx.QueryExecModeSimpleProtocol, "é").Scan(&text)
	fmt.Println("simple:", text, state(err))

	batch := &pgx.Batch{}
	for i := 0; i < 50; i++ {
		batch.Queue("SELECT $1::int", i)
	}
	batch.Queue("SELECT 1 / 0")
	batch.Queue("SELECT 2")
	results := at.SendBatch(all, batch)
	sum = 0
	for i := 0; i < 50; i++ {
		var n int
		err = results.QueryRow().Scan(&n)
		sum += n
	}
	_, failed := results.Exec()
	_, after := results.Exec()
	fmt.Println("batch:", sum, state(err), "|", state(failed), "|", after != nil, "|", results.Close() != nil)

	_, err = at.Exec(all, "CREATE TEMP TABLE copied (id int, note text)")
	rows := make([][]any, 10000)
	for i := range rows {
		rows[i] = []any{i, strings.Repeat("n", i%50)}
	}
	copied, problem := at.CopyFrom(all, pgx.Identifier{"copied"}, []string{"id", "note"}, pgx.CopyFromRows(rows))
	fmt.Println("copy:", copied, state(err), state(problem))

	short, stop := context.WithTimeout(all, 500*time.Millisecond)
	other := must(plain)
	_, err = other.Exec(short, "SELECT pg_sleep(20)")
	fmt.Println("deadline:", errors.Is(err, context.DeadlineExceeded))
	stop()

	cancel("cancel", plain)
	cancel("cancel over TLS", verified())

	_, err = at.Exec(all, "LISTEN drivers")
	_, problem = other.Exec(all, "SELECT 1") // its connection went with its deadline
	speaker := must(plain)
	_, told := speaker.Exec(all, "NOTIFY drivers, 'heard'")
	patient, enough := context.WithTimeout(all, 10*time.Second)
	heard, missed := at.WaitForNotification(patient)
	enough()
	if missed == nil {
		fmt.Println("notify:", heard.Payload, state(err), state(told), problem != nil)
	} else {
		fmt.Println("notify:", missed)
	}

	tx, err := at.Begin(all)
	if err == nil {
		_, err = tx.Exec(all, "DECLARE big CURSOR FOR SELECT generate_series(1, 1000)")
		fetched, _ := tx.Exec(all, "FETCH 300 FROM big")
		fmt.Println("cursor:", fetched, state(err), state(tx.Commit(all)))
	}

	_, err = at.Exec(all, "SELECT no_such_column FROM pg_class")
	fmt.Println("error:", state(err))
}
