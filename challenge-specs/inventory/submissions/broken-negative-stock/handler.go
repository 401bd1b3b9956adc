package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strings"
	"time"
)

type itemView struct {
	ID        string `json:"id"`
	SKU       string `json:"sku"`
	Name      string `json:"name"`
	Category  string `json:"category"`
	Price     string `json:"price"`
	Stock     int    `json:"stock"`
	Available int    `json:"available"`
	CreatedAt string `json:"createdAt"`
}

type reservationView struct {
	ID        string `json:"id"`
	ItemID    string `json:"itemId"`
	Quantity  int    `json:"quantity"`
	Total     string `json:"total"`
	Status    string `json:"status"`
	ExpiresAt string `json:"expiresAt"`
}

type handler struct {
	store *Store
}

// route is one method of one path. It writes its answer, or returns what is wrong.
type route func(w http.ResponseWriter, r *http.Request, id string) error

// NewHandler serves the whole API.
func NewHandler(store *Store) http.Handler {
	h := &handler{store}
	return http.HandlerFunc(func(client http.ResponseWriter, r *http.Request) {
		// What is written meanwhile waits here: a slow client must not hold the store's lock.
		w := &answer{header: client.Header(), status: http.StatusOK}
		defer w.sendTo(client)
		routes, id := h.routesOf(r.URL.Path)
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		err := error(&Problem{Code: "not_found"})
		if found := routes[method]; found != nil {
			err = found(w, r, id)
		} else if routes != nil {
			err = &Problem{Code: "method_not_allowed", Allow: allowed(routes)}
		}
		var problem *Problem
		if errors.As(err, &problem) {
			problem.write(w)
		} else if err != nil {
			log.Print(err)
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
}

func (h *handler) routesOf(path string) (map[string]route, string) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	shape := parts[0]
	id := ""
	if len(parts) > 1 {
		id = parts[1]
		shape = strings.Join(append([]string{parts[0], "*"}, parts[2:]...), "/")
	}
	return map[string]map[string]route{
		"health":                 {"GET": h.health},
		"items":                  {"GET": h.listItems, "POST": h.addItem},
		"items/*":                {"GET": h.getItem, "PUT": h.changeItem, "DELETE": h.deleteItem},
		"items/*/reservations":   {"POST": h.reserve},
		"reservations/*":         {"GET": h.getReservation},
		"reservations/*/confirm": {"POST": h.closeAs("confirmed")},
		"reservations/*/cancel":  {"POST": h.closeAs("cancelled")},
	}[shape], id
}

func allowed(routes map[string]route) string {
	methods := []string{}
	for method := range routes {
		methods = append(methods, method)
		if method == "GET" {
			methods = append(methods, "HEAD")
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

func (h *handler) health(w http.ResponseWriter, _ *http.Request, _ string) error {
	return writeJSON(w, 200, map[string]string{"status": "ok"})
}

func (h *handler) addItem(w http.ResponseWriter, r *http.Request, _ string) error {
	body, err := readObject(r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	values, err := checkItem(body, true)
	if err != nil {
		return err
	}
	return h.store.Do(func() error {
		shown, err := h.once(r, key, body, func() (any, entry, error) {
			item, err := h.store.NewItem(values)
			if err != nil {
				return nil, entry{}, err
			}
			return h.viewItem(item), entry{Item: item}, nil
		})
		if err != nil {
			return err
		}
		w.Header().Set("ETag", etagOf(shown))
		w.Header().Set("Location", "/items/"+idOf(shown))
		return writeRaw(w, 201, shown)
	})
}

// once does work at most once for a key, and keeps what it made and its answer together.
func (h *handler) once(
	r *http.Request, key string, body map[string]json.RawMessage, work func() (any, entry, error),
) (json.RawMessage, error) {
	request, err := fingerprint(r, body)
	if err != nil {
		return nil, err
	}
	if known := h.store.answers[key]; known != nil {
		if known.Request != request {
			return nil, &Problem{Code: "idempotency_key_reused"}
		}
		return known.Body, nil
	}
	view, change, err := work()
	if err != nil {
		return nil, err
	}
	shown, err := json.Marshal(view)
	if err != nil {
		return nil, err
	}
	if key != "" {
		change.Answer = &Answer{Key: key, Request: request, Body: shown}
	}
	return shown, h.store.commit(change)
}

// fingerprint is what must be the same for two requests to be one: path and body, however the body is written.
func fingerprint(r *http.Request, body map[string]json.RawMessage) (string, error) {
	var compact bytes.Buffer
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return "", err
	}
	if err := json.NewEncoder(&compact).Encode(value); err != nil {
		return "", err
	}
	return r.URL.Path + " " + compact.String(), nil
}

func (h *handler) listItems(w http.ResponseWriter, r *http.Request, _ string) error {
	query, err := checkQuery(r.URL.Query())
	if err != nil {
		return err
	}
	return h.store.Do(func() error {
		page, next := h.store.List(query)
		views := make([]itemView, len(page))
		for index, item := range page {
			views[index] = h.viewItem(item)
		}
		var cursor *string
		if next != 0 {
			text := fmt.Sprintf("c%d", next)
			cursor = &text
		}
		return writeJSON(w, 200, map[string]any{"items": views, "nextCursor": cursor})
	})
}

func (h *handler) getItem(w http.ResponseWriter, r *http.Request, id string) error {
	return h.store.Do(func() error {
		item, err := h.store.Item(id)
		if err != nil {
			return err
		}
		shown, _ := json.Marshal(h.viewItem(item))
		etag := etagOf(shown)
		w.Header().Set("ETag", etag)
		if matches(r.Header.Get("If-None-Match"), etag, true) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		return writeRaw(w, 200, shown)
	})
}

func (h *handler) changeItem(w http.ResponseWriter, r *http.Request, id string) error {
	body, err := readObject(r)
	if err != nil {
		return err
	}
	values, err := checkItem(body, false)
	if err != nil {
		return err
	}
	return h.store.Do(func() error {
		item, err := h.itemToChange(r, id)
		if err != nil {
			return err
		}
		if err := h.store.Change(item, values); err != nil {
			return err
		}
		shown, _ := json.Marshal(h.viewItem(item))
		w.Header().Set("ETag", etagOf(shown))
		return writeRaw(w, 200, shown)
	})
}

func (h *handler) deleteItem(w http.ResponseWriter, r *http.Request, id string) error {
	return h.store.Do(func() error {
		item, err := h.itemToChange(r, id)
		if err != nil {
			return err
		}
		if err := h.store.Delete(item); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

// itemToChange finds an item that the client has seen as it is now.
func (h *handler) itemToChange(r *http.Request, id string) (*Item, error) {
	item, err := h.store.Item(id)
	if err != nil {
		return nil, err
	}
	given := r.Header.Values("If-Match")
	if len(given) == 0 {
		return nil, &Problem{Code: "precondition_required"}
	}
	shown, _ := json.Marshal(h.viewItem(item))
	if !matches(strings.Join(given, ","), etagOf(shown), false) {
		return nil, &Problem{Code: "precondition_failed"}
	}
	return item, nil
}

func (h *handler) reserve(w http.ResponseWriter, r *http.Request, itemID string) error {
	body, err := readObject(r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	quantity, ttlSeconds, err := checkReservation(body)
	if err != nil {
		return err
	}
	return h.store.Do(func() error {
		shown, err := h.once(r, key, body, func() (any, entry, error) {
			made, err := h.store.NewReservation(itemID, quantity, ttlSeconds)
			if err != nil {
				return nil, entry{}, err
			}
			return viewReservation(made), entry{Reservation: made}, nil
		})
		if err != nil {
			return err
		}
		w.Header().Set("Location", "/reservations/"+idOf(shown))
		return writeRaw(w, 201, shown)
	})
}

func (h *handler) getReservation(w http.ResponseWriter, _ *http.Request, id string) error {
	return h.store.Do(func() error {
		found, err := h.store.Reservation(id)
		if err != nil {
			return err
		}
		return writeJSON(w, 200, viewReservation(found))
	})
}

func (h *handler) closeAs(status string) route {
	return func(w http.ResponseWriter, _ *http.Request, id string) error {
		return h.store.Do(func() error {
			closed, err := h.store.Close(id, status)
			if err != nil {
				return err
			}
			return writeJSON(w, 200, viewReservation(closed))
		})
	}
}

func (h *handler) viewItem(item *Item) itemView {
	return itemView{
		ID: item.ID, SKU: item.SKU, Name: item.Name, Category: item.Category, Price: money(item.Cents),
		Stock: item.Stock, Available: item.Stock - h.store.Reserved(item), CreatedAt: timeText(item.CreatedAt),
	}
}

func viewReservation(r *Reservation) reservationView {
	return reservationView{
		ID: r.ID, ItemID: r.ItemID, Quantity: r.Quantity, Total: money(int64(r.Quantity) * r.Cents),
		Status: r.Now(), ExpiresAt: timeText(r.ExpiresAt),
	}
}

func timeText(at time.Time) string {
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}

func etagOf(shown []byte) string {
	return fmt.Sprintf(`"%x"`, sha256.Sum256(shown))[:25] + `"`
}

func idOf(shown []byte) string {
	var view struct{ ID string }
	json.Unmarshal(shown, &view)
	return view.ID
}

func matches(header, etag string, weak bool) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || tag == etag || weak && tag == "W/"+etag {
			return true
		}
	}
	return false
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return writeRaw(w, status, text)
}

func writeRaw(w http.ResponseWriter, status int, text []byte) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err := w.Write(text)
	return err
}

// answer is a response that is not sent yet.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(text []byte) (int, error) { return a.body.Write(text) }

func (a *answer) sendTo(client http.ResponseWriter) {
	client.WriteHeader(a.status)
	// A client that has gone misses its answer; what it asked for is done.
	client.Write(a.body.Bytes())
}
