package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Item is one thing in stock.
type Item struct {
	Number    int64
	ID        string
	SKU       string
	Name      string
	Category  string
	Cents     int64
	Stock     int
	CreatedAt time.Time
}

// Reservation holds some of an item until it is confirmed, cancelled or over.
type Reservation struct {
	ID        string
	ItemID    string
	Quantity  int
	Cents     int64
	Status    string
	ExpiresAt time.Time
}

// Answer is what an idempotency key has got.
type Answer struct {
	Key     string
	Request string
	Body    json.RawMessage
}

// entry is one line of the journal: everything that one request changed.
type entry struct {
	Item        *Item        `json:",omitempty"`
	Deleted     string       `json:",omitempty"`
	Reservation *Reservation `json:",omitempty"`
	Answer      *Answer      `json:",omitempty"`
}

// Store has everything in memory. Its methods other than Do are called inside Do.
type Store struct {
	mutex        sync.Mutex
	journal      *os.File
	items        map[string]*Item
	newest       []*Item
	skus         map[string]bool
	reservations map[string]*Reservation
	held         map[string]map[string]*Reservation
	answers      map[string]*Answer
	number       int64
}

// OpenStore reads the journal; a last line that was cut off was never acknowledged.
func OpenStore(path string) (*Store, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	s := &Store{
		journal:      file,
		items:        map[string]*Item{},
		skus:         map[string]bool{},
		reservations: map[string]*Reservation{},
		held:         map[string]map[string]*Reservation{},
		answers:      map[string]*Answer{},
	}
	reader := bufio.NewReader(file)
	var length int64
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			break
		}
		var change entry
		if err := json.Unmarshal(line, &change); err != nil {
			return nil, fmt.Errorf("the journal is damaged at byte %d: %w", length, err)
		}
		s.apply(change)
		length += int64(len(line))
	}
	return s, file.Truncate(length)
}

// Do runs one request alone.
func (s *Store) Do(work func() error) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return work()
}

// commit writes a change down and applies it. The kernel has it then: a kill does not lose it.
func (s *Store) commit(change entry) error {
	line, err := json.Marshal(change)
	if err != nil {
		return err
	}
	if _, err := s.journal.Write(append(line, '\n')); err != nil {
		return err
	}
	s.apply(change)
	return nil
}

func (s *Store) apply(change entry) {
	if item := change.Item; item != nil {
		if known := s.items[item.ID]; known != nil {
			*known = *item
		} else {
			s.items[item.ID] = item
			s.skus[item.SKU] = true
			s.newest = append(s.newest, item)
			s.number = item.Number
		}
	}
	if item := s.items[change.Deleted]; item != nil {
		delete(s.items, item.ID)
		delete(s.skus, item.SKU)
	}
	if made := change.Reservation; made != nil {
		s.reservations[made.ID] = made
		if s.held[made.ItemID] == nil {
			s.held[made.ItemID] = map[string]*Reservation{}
		}
		delete(s.held[made.ItemID], made.ID)
		if made.Status == "held" {
			s.held[made.ItemID][made.ID] = made
		}
	}
	if change.Answer != nil {
		s.answers[change.Answer.Key] = change.Answer
	}
}

// Reserved is what is held of an item now. Reservations that are over are forgotten here.
func (s *Store) Reserved(item *Item) int {
	sum := 0
	for id, held := range s.held[item.ID] {
		if held.Now() == "held" {
			sum += held.Quantity
		} else {
			delete(s.held[item.ID], id)
		}
	}
	return sum
}

// Now is the status at this moment.
func (r *Reservation) Now() string {
	if r.Status == "held" && !time.Now().Before(r.ExpiresAt) {
		return "expired"
	}
	return r.Status
}

// Item finds one.
func (s *Store) Item(id string) (*Item, error) {
	if item := s.items[id]; item != nil {
		return item, nil
	}
	return nil, &Problem{Code: "not_found"}
}

// NewItem makes one that is not yet kept.
func (s *Store) NewItem(values ItemValues) (*Item, error) {
	if s.skus[values.SKU] {
		return nil, &Problem{Code: "sku_taken"}
	}
	return &Item{
		Number: s.number + 1, ID: newID(), SKU: values.SKU, Name: values.Name, Category: values.Category,
		Cents: values.Cents, Stock: values.Stock, CreatedAt: time.Now().UTC(),
	}, nil
}

// Change gives an item new values.
func (s *Store) Change(item *Item, values ItemValues) error {
	if reserved := s.Reserved(item); values.Stock < reserved {
		return &Problem{Code: "stock_below_reserved", Detail: fmt.Sprintf("%d are reserved", reserved)}
	}
	changed := *item
	changed.Name, changed.Category, changed.Cents, changed.Stock = values.Name, values.Category, values.Cents, values.Stock
	return s.commit(entry{Item: &changed})
}

// Delete removes an item that nobody has reserved.
func (s *Store) Delete(item *Item) error {
	if s.Reserved(item) > 0 {
		return &Problem{Code: "item_in_use"}
	}
	return s.commit(entry{Deleted: item.ID})
}

// NewReservation makes one that is not yet kept.
func (s *Store) NewReservation(itemID string, quantity, ttlSeconds int) (*Reservation, error) {
	item, err := s.Item(itemID)
	if err != nil {
		return nil, err
	}
	if available := item.Stock - s.Reserved(item); available < quantity {
		return nil, &Problem{Code: "out_of_stock", Detail: fmt.Sprintf("%d are available", available)}
	}
	expiresAt := time.Now().UTC().Add(time.Duration(ttlSeconds) * time.Second)
	return &Reservation{ID: newID(), ItemID: itemID, Quantity: quantity, Cents: item.Cents, Status: "held", ExpiresAt: expiresAt}, nil
}

// Reservation finds one.
func (s *Store) Reservation(id string) (*Reservation, error) {
	if found := s.reservations[id]; found != nil {
		return found, nil
	}
	return nil, &Problem{Code: "not_found"}
}

// Close confirms or cancels. The same again changes nothing; anything else is too late.
func (s *Store) Close(id, status string) (*Reservation, error) {
	found, err := s.Reservation(id)
	if err != nil {
		return nil, err
	}
	switch found.Now() {
	case status:
		return found, nil
	case "held":
	default:
		return nil, &Problem{Code: "reservation_closed", Detail: "it is " + found.Now()}
	}
	closed := *found
	closed.Status = status
	change := entry{Reservation: &closed}
	if item := s.items[found.ItemID]; status == "confirmed" && item != nil {
		sold := *item
		sold.Stock -= found.Quantity
		change.Item = &sold
	}
	return &closed, s.commit(change)
}

// List gives a page, newest first, and the number to go on before; 0 at the end.
func (s *Store) List(query ListQuery) (page []*Item, next int64) {
	for index := len(s.newest) - 1; index >= 0; index-- {
		item := s.newest[index]
		if s.items[item.ID] == nil || !s.isWanted(item, query) {
			continue
		}
		if len(page) == query.Limit {
			return page, page[len(page)-1].Number
		}
		page = append(page, item)
	}
	return page, 0
}

func (s *Store) isWanted(item *Item, query ListQuery) bool {
	return (query.Before == 0 || item.Number < query.Before) &&
		(query.Category == nil || item.Category == *query.Category) &&
		(query.MinCents == nil || item.Cents >= *query.MinCents) &&
		(query.MaxCents == nil || item.Cents <= *query.MaxCents) &&
		(query.InStock == nil || (item.Stock > s.Reserved(item)) == *query.InStock) &&
		strings.Contains(strings.ToLower(item.Name), strings.ToLower(query.Search))
}

func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
