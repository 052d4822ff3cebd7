// What a Go driver (pgx) sees, one line a check; the same lines are expected over any way to the same server.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func url(password string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%s/%s?sslmode=disable", os.Args[3], password, os.Args[1], os.Args[2])
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

func main() {
	all := context.Background()
	_, err := pgx.Connect(all, url("wrong"))
	fmt.Println("wrong password:", state(err))
	at, err := pgx.Connect(all, url(os.Args[4]))
	if err != nil {
		fmt.Println("connect:", err)
		os.Exit(1)
	}
	defer at.Close(all)

	sum := 0
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

	short, cancel := context.WithTimeout(all, 500*time.Millisecond)
	other, err := pgx.Connect(all, url(os.Args[4]))
	if err == nil {
		_, err = other.Exec(short, "SELECT pg_sleep(20)")
		fmt.Println("deadline:", errors.Is(err, context.DeadlineExceeded))
	}
	cancel()

	third, err := pgx.Connect(all, url(os.Args[4]))
	if err == nil {
		go func() {
			time.Sleep(500 * time.Millisecond)
			_ = third.PgConn().CancelRequest(all)
		}()
		_, err = third.Exec(all, "SELECT pg_sleep(20)")
		var one int
		again := third.QueryRow(all, "SELECT 1").Scan(&one)
		fmt.Println("cancel:", state(err), "|", one, state(again))
		third.Close(all)
	}

	_, err = at.Exec(all, "SELECT no_such_column FROM pg_class")
	fmt.Println("error:", state(err))
}
