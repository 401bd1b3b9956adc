// Command inventory keeps items and reservations.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	store, err := OpenStore(envOr("DATA_DIR", "/data") + "/journal.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Addr:              ":" + envOr("PORT", "8080"),
		Handler:           NewHandler(store),
		ReadHeaderTimeout: 10 * time.Second,
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	go func() {
		<-stop.Done()
		within, done := context.WithTimeout(context.Background(), 8*time.Second)
		defer done()
		server.Shutdown(within)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func envOr(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
