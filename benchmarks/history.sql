-- A finished history of {returns} returns, filled in by history.py.
CREATE UNLOGGED TABLE bench_history AS SELECT 'r' || i AS return_id, 'RMA' || i AS rma, '#LX' || i AS order_name,
    'KCCLX' || i AS order_ref, 'SO' || i AS so_code, 'CN' || i AS note, 'C' || i % greatest({returns} / 2, 1) AS customer,
    'LX' || i % {codes} || '-M' AS first_code, 'LX' || (i + 1) % {codes} || '-M' AS second_code,
    timestamptz '{now}' - interval '10 days' - ({returns} - i) * interval '43.2 seconds' AS at
FROM generate_series(1, {returns}) i;
INSERT INTO khaos.stock_codes (stock_code, stock_id, content_hash, changed_at, seen_at, found_by)
SELECT 'LX' || i || '-M', i, 'x', '{now}', '{now}', ARRAY['spelling lx' || i || 'm', 'zeros lx' || i || 'm']
FROM generate_series(0, {codes} - 1) i;
INSERT INTO swap.returns (return_id, store_id, rma, order_name, order_id, status, delivery_status, quality_control_status,
    outcomes, currency, refund_pence, store_credit_pence, additional_payment_pence, handling_fee_pence, total_pence,
    created_at, updated_at, submitted_at, processed_at, closed_at, delivered_at, refunded_at, is_open, content_hash, raw,
    first_seen_at, changed_at, read_at)
SELECT return_id, 'store', rma, order_name, so_code, 'Closed', 'Delivered', 'Approved', '{{Refund}}', 'GBP', 5000, 0, 0, 0,
    5000, at, at, at, at, at, at, at, false, 'x', jsonb_build_object('rma', rma, 'status', 'Closed'), at, at, at
FROM bench_history;
INSERT INTO swap.return_lines SELECT return_id, 'p' || n, n, '', '', CASE n WHEN 1 THEN first_code ELSE second_code END, 1,
    2500, 'GBP', 'Refund', '', false FROM bench_history, generate_series(1, 2) n;
INSERT INTO khaos.sales_orders (so_code, associated_ref, customer_code, currency, ordered_on, invoiced_on, detail_read_at,
    seen_at) SELECT so_code, order_ref, customer, 'GBP', at, at, at, at FROM bench_history;
INSERT INTO khaos.order_lines SELECT so_code, n, CASE n WHEN 1 THEN first_code ELSE second_code END, 1, 2500, '1', ''
FROM bench_history, generate_series(1, 2) n;
INSERT INTO khaos.wanted_orders (order_ref, state, asked_at, tried_at) SELECT order_ref, 'read', at, at FROM bench_history;
INSERT INTO khaos.credit_notes (credit_note_code, associated_ref, customer_code, currency, created_on, issued_on, stage_id,
    gross_pence, net_pence, delivery_gross_pence, content_hash, first_seen_at, changed_at, return_id, matched_by, allocated_at)
SELECT note, rma, customer, 'GBP', at, at, 70, 5000, 4167, 0, 'x', at, at, return_id, 'posting', at FROM bench_history;
INSERT INTO recon.note_links (credit_note_code, return_id, matched_by, linked_at, linked_by)
SELECT note, return_id, 'posting', at, 'khaos-swap' FROM bench_history;
INSERT INTO khaos.credit_note_lines SELECT note, n, CASE n WHEN 1 THEN first_code ELSE second_code END, 1
FROM bench_history, generate_series(1, 2) n;
INSERT INTO khaos.credit_notes (credit_note_code, associated_ref, customer_code, currency, created_on, issued_on, stage_id,
    gross_pence, net_pence, delivery_gross_pence, content_hash, first_seen_at, changed_at)
SELECT 'OLD' || i, '', 'C' || i, 'GBP', date '2024-05-01', date '2024-05-01', 70, 123, 103, 0, 'x', '2025-01-01', '2025-01-01'
FROM generate_series(0, greatest({returns} / 2, 1) - 1, 5) i;
INSERT INTO khaos.credit_note_lines SELECT credit_note_code, 1, 'OLD', 1 FROM khaos.credit_notes WHERE return_id IS NULL;
INSERT INTO khaos.movements SELECT first_code, note, 1, at, at FROM bench_history;
INSERT INTO khaos.customers SELECT DISTINCT customer, 'GBP', 0, timestamptz '{now}' - interval '10 days' FROM bench_history;
INSERT INTO recon.matched_returns (return_id, so_code, customer_code, order_currency, invoiced_on, order_ref, matched_at)
SELECT return_id, so_code, customer, 'GBP', at, order_ref, at FROM bench_history;
INSERT INTO recon.matched_lines (return_id, product_id, sku, quantity, cost_pence, outcome, stock_code, order_line_no,
    sold_quantity, sold_gross_pence, sellable_quantity)
SELECT return_id, product_id, sku, 1, 2500, 'Refund', sku, position, 1, 2500, 1 FROM swap.return_lines;
INSERT INTO recon.drafts (store_id, return_id, ordinal, state, is_done, draft, value_pence, currency, drafted_at)
SELECT 'store', return_id, 1, 'ready', true, jsonb_build_object('store_id', 'store', 'return_id', return_id, 'ordinal', 1,
    'rma', rma, 'so_code', so_code, 'order_ref', order_ref, 'customer_code', customer, 'currency', 'GBP', 'value_pence', 5000,
    'lines', jsonb_build_array(jsonb_build_object('product_id', 'p1', 'stock_code', first_code, 'quantity', 1,
    'unit_gross_pence', 2500, 'disposition', 'sellable'))), 5000, 'GBP', at FROM bench_history;
INSERT INTO recon.postings (store_id, return_id, ordinal, rma, reference, state, customer_code, so_code, currency,
    value_pence, document, document_hash, planned_at, handed_out_at, times_handed_out, ended_at, credit_note_code,
    witnessed_pence, ended_by)
SELECT 'store', return_id, 1, rma, rma, 'confirmed', customer, so_code, 'GBP', 5000, json_build_object('AssociatedRef',
    rma, 'ReturnedItems', json_build_array(json_build_object('SKU', first_code, 'Quantity', 1.0))), 'x', at, at, 1, at, note, 5000, 'witness' FROM bench_history;
INSERT INTO recon.audit_log (at, who, what, document, after)
SELECT at, 'posting engine', 'planned', 'posting ' || rma, jsonb_build_object('state', 'planned') FROM bench_history;
INSERT INTO recon.stock_moves (return_id, product_id, disposition, rma, stock_code, quantity, carried_by, state,
    level_verdict, due_at, changed_at)
SELECT return_id, 'p' || n, 'sellable', rma, CASE n WHEN 1 THEN first_code ELSE second_code END, 1, rma, 'confirmed',
    'confirmed', at, at FROM bench_history, generate_series(1, 2) n;
INSERT INTO recon.inspections (inspection_id, rma, sku, condition, quantity, inspected_at, inspected_by, body_hash,
    received_at) SELECT 'i' || return_id, rma, first_code, 'Sellable', 1, at, 'bench', 'x', at FROM bench_history;
INSERT INTO recon.inbox (source, event, return_id, body, body_hash, received_at, consumed_at)
SELECT 'swap', 'returnProcessed', return_id, '{{}}', 'x', at, at FROM bench_history;
INSERT INTO recon.reconciliation (return_id, store_id, rma, currency, refund_pence, credited_pence, issued_pence, gap_pence,
    status, matched_by, credit_note_codes, period, reconciled_at)
SELECT return_id, 'store', rma, 'GBP', 5000, 5000, 5000, 0, 'matched', 'posting', ARRAY[note], to_char(at, 'YYYY-MM'), at
FROM bench_history;
INSERT INTO recon.exceptions (kind, subject, owner, severity, return_id, rma, message, opened_at, closed_at, closed_by)
SELECT 'credit_note_missing', rma, 'finance', 'error', return_id, rma, 'no note', at, at, 'condition' FROM bench_history;
INSERT INTO recon.exceptions (kind, subject, owner, severity, return_id, rma, message, opened_at)
SELECT 'value_gap', rma, 'finance', 'error', return_id, rma, 'apart', at FROM bench_history LIMIT 100;
INSERT INTO recon.findings (kind, subject, return_id, rma, message, found_at)
SELECT 'value_gap', rma, return_id, rma, 'apart', at FROM bench_history LIMIT 100;
INSERT INTO recon.latency (return_id, rma, event_at, accepted_at, read_at, inspected_at, gate_at, drafted_at, offered_at,
    handed_out_at, witnessed_at) SELECT return_id, rma, at, at, at, at, at, at, at, at, at FROM bench_history;
INSERT INTO recon.latency_days SELECT (at AT TIME ZONE 'Europe/London')::date, count(*), 0, 0 FROM bench_history GROUP BY 1;
INSERT INTO recon.watermarks SELECT source, timestamptz '{now}' - interval '1 minute' FROM unnest(ARRAY['swap/returns',
    'swap/open_returns', 'swap/wide_sweep', 'khaos/stock_codes', 'khaos/documents', 'recon/attribution',
    'reconciliation/latency', 'swap/completeness', 'swap/completeness wide']) source;
DROP TABLE bench_history;
