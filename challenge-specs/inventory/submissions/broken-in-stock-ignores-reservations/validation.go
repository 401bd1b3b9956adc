package main

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	skuRule      = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{2,31}$`)
	categoryRule = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)
	priceRule    = regexp.MustCompile(`^(0|[1-9][0-9]{0,6})\.[0-9]{2}$`)
	controlRule  = regexp.MustCompile(`[\x00-\x1f\x7f]`)
	keyRule      = regexp.MustCompile(`^[!-~]{1,64}$`)
	wholeRule    = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,9})$`)
	cursorRule   = regexp.MustCompile(`^c[1-9][0-9]{0,17}$`)
	limitRule    = regexp.MustCompile(`^[0-9]{1,3}$`)
)

// readObject gives the members of the body as they were written.
func readObject(r *http.Request) (map[string]json.RawMessage, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, &Problem{Code: "unsupported_media_type"}
	}
	text, err := io.ReadAll(r.Body)
	if err != nil || !utf8.Valid(text) {
		return nil, &Problem{Code: "malformed_json"}
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(text, &body); err != nil || body == nil {
		return nil, &Problem{Code: "malformed_json"}
	}
	return body, nil
}

// checker collects everything that is wrong with one body.
type checker struct {
	body   map[string]json.RawMessage
	errors []FieldError
}

func (c *checker) text(field, message string, holds func(string) bool) string {
	var value *string
	if json.Unmarshal(c.body[field], &value) != nil || value == nil || !holds(*value) {
		c.errors = append(c.errors, FieldError{field, message})
		return ""
	}
	return *value
}

func (c *checker) whole(field string, low, high int) int {
	text := string(c.body[field])
	value, err := strconv.Atoi(text)
	if err != nil || !wholeRule.MatchString(text) || value < low || value > high {
		c.errors = append(c.errors, FieldError{field, fmt.Sprintf("a whole number from %d to %d", low, high)})
	}
	return value
}

func (c *checker) problem() error {
	if len(c.errors) == 0 {
		return nil
	}
	return &Problem{Code: "validation_failed", Errors: c.errors}
}

// ItemValues is what clients decide about an item.
type ItemValues struct {
	SKU      string
	Name     string
	Category string
	Cents    int64
	Stock    int
}

func checkItem(body map[string]json.RawMessage, isNew bool) (ItemValues, error) {
	c := &checker{body: body}
	var values ItemValues
	if isNew {
		values.SKU = c.text("sku", "3 to 32 of A-Z, 0-9 and -, not beginning with -", skuRule.MatchString)
	}
	values.Name = c.text("name", "1 to 120 characters, not all of them spaces", isName)
	values.Category = c.text("category", "2 to 32 of a-z, 0-9 and -, the first a letter", categoryRule.MatchString)
	values.Cents = cents(c.text("price", `a text such as "19.99", up to 9999999.99`, priceRule.MatchString))
	values.Stock = c.whole("stock", 0, 1_000_000)
	return values, c.problem()
}

func isName(value string) bool {
	length := utf8.RuneCountInString(value)
	return length >= 1 && length <= 120 && !controlRule.MatchString(value) && strings.TrimSpace(value) != ""
}

func checkReservation(body map[string]json.RawMessage) (quantity, ttlSeconds int, err error) {
	c := &checker{body: body}
	quantity = c.whole("quantity", 1, 1000)
	ttlSeconds = 900
	if _, given := body["ttlSeconds"]; given {
		ttlSeconds = c.whole("ttlSeconds", 1, 3600)
	}
	return quantity, ttlSeconds, c.problem()
}

// idempotencyKey gives the key, or "" where there is none.
func idempotencyKey(r *http.Request) (string, error) {
	given := r.Header.Values("Idempotency-Key")
	if len(given) == 0 {
		return "", nil
	}
	if !keyRule.MatchString(given[0]) {
		message := "1 to 64 printable ASCII characters"
		return "", &Problem{Code: "validation_failed", Errors: []FieldError{{"Idempotency-Key", message}}}
	}
	return given[0], nil
}

func cents(price string) int64 {
	value, _ := strconv.ParseInt(strings.Replace(price, ".", "", 1), 10, 64)
	return value
}

func money(amount int64) string {
	return fmt.Sprintf("%d.%02d", amount/100, amount%100)
}

// ListQuery is what a list is asked for; nil and "" mean anything.
type ListQuery struct {
	Limit    int
	Before   int64
	Category *string
	Search   string
	InStock  *bool
	MinCents *int64
	MaxCents *int64
}

func checkQuery(given url.Values) (ListQuery, error) {
	query := ListQuery{Limit: 20}
	refuse := func(detail string) (ListQuery, error) {
		return query, &Problem{Code: "invalid_query", Detail: detail}
	}
	if given.Has("limit") {
		query.Limit, _ = strconv.Atoi(given.Get("limit"))
		if !limitRule.MatchString(given.Get("limit")) || query.Limit < 1 || query.Limit > 100 {
			return refuse("limit is from 1 to 100")
		}
	}
	if given.Has("cursor") {
		if !cursorRule.MatchString(given.Get("cursor")) {
			return refuse("cursor is not one of ours")
		}
		query.Before, _ = strconv.ParseInt(given.Get("cursor")[1:], 10, 64)
	}
	if given.Has("category") {
		category := given.Get("category")
		query.Category = &category
	}
	if given.Has("q") {
		query.Search = given.Get("q")
		if length := utf8.RuneCountInString(query.Search); length < 1 || length > 120 || controlRule.MatchString(query.Search) {
			return refuse("q has 1 to 120 characters")
		}
	}
	if given.Has("inStock") {
		inStock := given.Get("inStock") == "true"
		if !inStock && given.Get("inStock") != "false" {
			return refuse("inStock is true or false")
		}
		query.InStock = &inStock
	}
	for name, target := range map[string]**int64{"minPrice": &query.MinCents, "maxPrice": &query.MaxCents} {
		if given.Has(name) {
			if !priceRule.MatchString(given.Get(name)) {
				return refuse(name + " is a price")
			}
			amount := cents(given.Get(name))
			*target = &amount
		}
	}
	return query, nil
}
